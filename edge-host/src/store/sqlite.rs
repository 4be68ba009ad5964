//! SQLite databases for records: connections that are handed out, reset and handed out again.
//!
//! To whoever gets it, each connection is new: no transaction, no settings, no temporary tables of
//! whoever had it before. A committed transaction survives a power failure (`synchronous = FULL`).
//! Foreign keys are on, as in Spin, whose SQLite is built that way, and files cannot be attached.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rusqlite::{
    Connection, ErrorCode, TransactionState,
    hooks::{AuthAction, AuthContext, Authorization},
    types::{Value, ValueRef},
};
use tokio::{sync::Notify, time::Instant};

use super::{Durability, StoreError, open};
use crate::limits::{
    SQLITE_BUSY_MAX, SQLITE_IDLE_CONNECTIONS_MAX, SQLITE_RESULT_BYTES_MAX,
    SQLITE_STATEMENT_TIME_MAX,
};

/// How many steps of SQLite's machine pass between two looks at the clock: about a millisecond.
const PROGRESS_OPS: i32 = 10_000;

/// A database file and the connections to it that nobody uses.
pub(crate) struct Database {
    path: PathBuf,
    idle: Mutex<Vec<Pooled>>,
    /// Rung when a connection has let go of the write lock.
    released: Notify,
}

struct Pooled {
    connection: Connection,
    /// Somebody changed how the connection behaves. It is closed rather than handed out again.
    is_tainted: Arc<AtomicBool>,
    /// When its statement began.
    began: Arc<Mutex<Instant>>,
}

/// A connection while somebody has it.
pub(crate) struct Handle {
    database: Arc<Database>,
    /// Gone only while it is handed back.
    pooled: Option<Pooled>,
    last_insert_rowid: i64,
    changes: u64,
}

/// What a statement answered.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StatementError {
    /// Another connection is writing, and waiting is of use.
    #[error("database is locked")]
    Busy,
    /// The result is larger than anybody may ask for.
    #[error("query result exceeds limit of {SQLITE_RESULT_BYTES_MAX} bytes")]
    TooLarge,
    /// SQLite refused.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl Database {
    /// Opens the file, and makes it if need be.
    ///
    /// # Errors
    /// [`StoreError`] if it is not to be had.
    pub(crate) fn open(path: &Path) -> Result<Arc<Self>, StoreError> {
        let database =
            Self { path: path.to_owned(), idle: Mutex::default(), released: Notify::new() };
        let first = database.connect()?;
        database.idle().push(first);
        Ok(Arc::new(database))
    }

    /// A connection that behaves as a new one.
    ///
    /// # Errors
    /// [`StoreError`] if the file can no longer be opened.
    pub(crate) fn connection(self: &Arc<Self>) -> Result<Handle, StoreError> {
        let pooled = match self.idle().pop() {
            Some(pooled) => pooled,
            None => self.connect()?,
        };
        Ok(Handle {
            database: Arc::clone(self),
            pooled: Some(pooled),
            last_insert_rowid: 0,
            changes: 0,
        })
    }

    fn connect(&self) -> Result<Pooled, StoreError> {
        let mut connection = open(&self.path, Durability::Committed)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Whoever waits for the write lock waits in `Handle::execute`, without holding a thread.
        connection.busy_timeout(Duration::ZERO)?;
        connection.set_prepared_statement_cache_capacity(128);
        let is_tainted = Arc::new(AtomicBool::new(false));
        let taint = Arc::clone(&is_tainted);
        connection.authorizer(Some(move |context: AuthContext<'_>| authorize(&context, &taint)))?;
        let began = Arc::new(Mutex::new(Instant::now()));
        let watched = Arc::clone(&began);
        connection.progress_handler(
            PROGRESS_OPS,
            Some(move || SQLITE_STATEMENT_TIME_MAX < locked(&watched).elapsed()),
        )?;
        Ok(Pooled { connection, is_tainted, began })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Pooled>> {
        locked(&self.idle)
    }
}

/// A panic elsewhere leaves nothing half done that these locks guard.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Denies what Spin denies, and notes what would outlive its guest.
fn authorize(context: &AuthContext<'_>, is_tainted: &AtomicBool) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => {
            return Authorization::Deny;
        }
        AuthAction::Attach { .. }
        | AuthAction::Pragma { pragma_value: Some(_), .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => is_tainted.store(true, Ordering::Relaxed),
        _ => (),
    }
    Authorization::Allow
}

impl Handle {
    /// Runs one statement. Waits up to [`SQLITE_BUSY_MAX`] while another connection is writing,
    /// unless this one has read in a transaction, as waiting would then be of no use.
    ///
    /// # Errors
    /// [`StatementError`]; the statement has changed nothing then.
    pub(crate) async fn execute(
        &mut self,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Rows, StatementError> {
        let deadline = Instant::now() + SQLITE_BUSY_MAX;
        let mut pause = Duration::from_millis(1);
        loop {
            // To make room for a blocking call costs more than a read of a few rows does.
            let result = if self.is_read(sql) {
                self.try_execute(sql, parameters)
            } else {
                tokio::task::block_in_place(|| self.try_execute(sql, parameters))
            };
            match result {
                Err(StatementError::Busy) if Instant::now() < deadline => (),
                result => return result,
            }
            // Connections of other processes do not ring, so nobody waits for the bell alone.
            let database = Arc::clone(&self.database);
            let _ = tokio::time::timeout(pause, database.released.notified()).await;
            pause = (pause * 2).min(Duration::from_millis(25));
        }
    }

    /// The row of this handle's last insertion, or 0.
    pub(crate) fn last_insert_rowid(&self) -> i64 {
        self.last_insert_rowid
    }

    /// The rows that this handle's last writing statement changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Whether `sql` is a query of its own, which waits for no disk to be synced.
    fn is_read(&self, sql: &str) -> bool {
        let connection = &self.pooled.as_ref().expect("only drop takes it").connection;
        first_word(sql).eq_ignore_ascii_case("select") && connection.is_autocommit()
    }

    fn try_execute(&mut self, sql: &str, parameters: &[Value]) -> Result<Rows, StatementError> {
        let is_commit = is_commit(sql);
        failpoints::hit("edge:sql:before");
        if is_commit {
            failpoints::hit("edge:commit:before");
        }
        let result = self.run(sql, parameters);
        if is_commit {
            failpoints::hit("edge:commit:after");
        }
        failpoints::hit("edge:sql:after");
        result
    }

    fn run(&mut self, sql: &str, parameters: &[Value]) -> Result<Rows, StatementError> {
        let pooled = self.pooled.as_ref().expect("only drop takes it");
        *locked(&pooled.began) = Instant::now();
        let connection = &pooled.connection;
        let changed_before = connection.total_changes();
        let (rows, is_read) = match query(connection, sql, parameters) {
            Err(StatementError::Sqlite(error)) if is_busy(&error) => {
                // A transaction that has read sees a state that the writer is about to replace.
                return match connection.transaction_state(None::<&str>)? {
                    TransactionState::Read => Err(error.into()),
                    _ => Err(StatementError::Busy),
                };
            }
            other => other?,
        };
        if changed_before != connection.total_changes() {
            self.changes = connection.changes();
            self.last_insert_rowid = connection.last_insert_rowid();
        }
        if !is_read && connection.is_autocommit() {
            self.database.released.notify_one();
        }
        Ok(rows)
    }
}

/// Runs a statement to its end. Says also whether it could not have written.
fn query(
    connection: &Connection,
    sql: &str,
    parameters: &[Value],
) -> Result<(Rows, bool), StatementError> {
    let mut statement = connection.prepare_cached(sql)?;
    let is_read = statement.readonly();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.query(rusqlite::params_from_iter(parameters))?;
    let mut rows = Vec::new();
    let mut bytes = 0_usize;
    while let Some(row) = found.next()? {
        let mut values = Vec::with_capacity(columns.len());
        for column in 0..columns.len() {
            let value = row.get_ref(column)?;
            bytes = bytes.saturating_add(size_bytes(value));
            values.push(Value::try_from(value).map_err(|error| {
                let data_type = value.data_type();
                rusqlite::Error::FromSqlConversionFailure(column, data_type, error.into())
            })?);
        }
        if SQLITE_RESULT_BYTES_MAX < bytes {
            return Err(StatementError::TooLarge);
        }
        rows.push(values);
    }
    Ok((Rows { columns, rows }, is_read))
}

fn size_bytes(value: ValueRef<'_>) -> usize {
    let inline = size_of::<Value>();
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => inline + bytes.len(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => inline,
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

fn first_word(sql: &str) -> &str {
    sql.trim_start().split(|it: char| !it.is_ascii_alphabetic()).next().unwrap_or("")
}

fn is_commit(sql: &str) -> bool {
    let word = first_word(sql);
    word.eq_ignore_ascii_case("commit") || word.eq_ignore_ascii_case("end")
}

impl Drop for Handle {
    fn drop(&mut self) {
        let Some(pooled) = self.pooled.take() else { return };
        let is_clean = pooled.connection.is_autocommit()
            || pooled.connection.execute_batch("ROLLBACK").is_ok();
        if is_clean && !pooled.is_tainted.load(Ordering::Relaxed) {
            let mut idle = self.database.idle();
            if idle.len() < SQLITE_IDLE_CONNECTIONS_MAX {
                idle.push(pooled);
            }
        }
        self.database.released.notify_one();
    }
}

#[cfg(test)]
mod tests;

//! `spin:sqlite@3.1.0`, on [`crate::store::sqlite`].

use std::sync::Arc;

use rusqlite::types::Value as SqlValue;
use tokio::sync::Mutex;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::{
    Host, HostState,
    bindings::spin::sqlite::sqlite::{
        Error, Host as HostSync, HostConnection, HostConnectionWithStore, QueryResult, RowResult,
        Value,
    },
};
use crate::store::{
    StoreError,
    sqlite::{Handle, Rows, StatementError},
};

/// A connection as a guest holds it. One guest may use it from several tasks.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct GuestConnection(Arc<Mutex<Handle>>);

/// The columns, the rows, and how it ended.
type Streams = (Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>);

impl From<StatementError> for Error {
    fn from(error: StatementError) -> Self {
        Self::Io(error.to_string())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Io(error.to_string())
    }
}

impl HostState {
    fn open(&mut self, label: &str) -> wasmtime::Result<Result<Resource<GuestConnection>, Error>> {
        let Some(database) = self.grants.sqlite_databases.get(label) else {
            return Ok(Err(Error::AccessDenied));
        };
        match database.connection() {
            Ok(handle) => {
                let connection = GuestConnection(Arc::new(Mutex::new(handle)));
                Ok(Ok(self.table.push(connection)?))
            }
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn handle(&self, this: &Resource<GuestConnection>) -> wasmtime::Result<Arc<Mutex<Handle>>> {
        Ok(Arc::clone(&self.table.get(this)?.0))
    }
}

async fn execute(
    handle: &Mutex<Handle>,
    sql: &str,
    parameters: Vec<Value>,
) -> Result<(Vec<String>, Vec<RowResult>), Error> {
    let parameters: Vec<SqlValue> = parameters.into_iter().map(to_sql).collect();
    let Rows { columns, rows } = handle.lock().await.execute(sql, &parameters).await?;
    let rows =
        rows.into_iter().map(|it| RowResult { values: it.into_iter().map(to_wit).collect() });
    Ok((columns, rows.collect()))
}

fn to_sql(value: Value) -> SqlValue {
    match value {
        Value::Integer(it) => SqlValue::Integer(it),
        Value::Real(it) => SqlValue::Real(it),
        Value::Text(it) => SqlValue::Text(it),
        Value::Blob(it) => SqlValue::Blob(it),
        Value::Null => SqlValue::Null,
    }
}

fn to_wit(value: SqlValue) -> Value {
    match value {
        SqlValue::Integer(it) => Value::Integer(it),
        SqlValue::Real(it) => Value::Real(it),
        SqlValue::Text(it) => Value::Text(it),
        SqlValue::Blob(it) => Value::Blob(it),
        SqlValue::Null => Value::Null,
    }
}

impl HostSync for HostState {}

impl HostConnection for HostState {
    fn open(
        &mut self,
        label: String,
    ) -> wasmtime::Result<Result<Resource<GuestConnection>, Error>> {
        Self::open(self, &label)
    }

    async fn execute(
        &mut self,
        this: Resource<GuestConnection>,
        sql: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let handle = self.handle(&this)?;
        let result = execute(&handle, &sql, parameters).await;
        Ok(result.map(|(columns, rows)| QueryResult { columns, rows }))
    }

    fn last_insert_rowid(&mut self, this: Resource<GuestConnection>) -> wasmtime::Result<i64> {
        Ok(idle(&*self.handle(&this)?)?.last_insert_rowid())
    }

    fn changes(&mut self, this: Resource<GuestConnection>) -> wasmtime::Result<u64> {
        Ok(idle(&*self.handle(&this)?)?.changes())
    }

    fn drop(&mut self, this: Resource<GuestConnection>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

/// A synchronous call cannot wait for a statement of another task of the same guest.
fn idle(handle: &Mutex<Handle>) -> wasmtime::Result<tokio::sync::MutexGuard<'_, Handle>> {
    handle.try_lock().map_err(|_| wasmtime::format_err!("the connection is running a statement"))
}

impl<T: Send> HostConnectionWithStore<T> for Host {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<GuestConnection>, Error>> {
        accessor.with(|mut access| access.get().open(&label))
    }

    /// As in Spin, an error of the statement is in the future, and there are no columns then.
    async fn execute_async(
        accessor: &Accessor<T, Self>,
        this: Resource<GuestConnection>,
        sql: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<Streams, Error>> {
        let handle = accessor.with(|mut access| access.get().handle(&this))?;
        let (columns, rows, end) = match execute(&handle, &sql, parameters).await {
            Ok((columns, rows)) => (columns, rows, Ok(())),
            Err(error) => (Vec::new(), Vec::new(), Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, rows)?;
            let end = FutureReader::new(&mut access, async { wasmtime::error::Ok(end) })?;
            Ok(Ok((columns, rows, end)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        this: Resource<GuestConnection>,
    ) -> wasmtime::Result<i64> {
        let handle = accessor.with(|mut access| access.get().handle(&this))?;
        Ok(handle.lock().await.last_insert_rowid())
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        this: Resource<GuestConnection>,
    ) -> wasmtime::Result<u64> {
        let handle = accessor.with(|mut access| access.get().handle(&this))?;
        Ok(handle.lock().await.changes())
    }
}

//! The port to SQLite.

use std::future::Future;

/// One SQLite connection.
///
/// Dropping it rolls back what was not committed.
pub trait Database: Send + Sync {
    /// Runs one statement and returns all of its rows.
    fn execute(
        &self,
        statement: &str,
        parameters: Vec<Value>,
    ) -> impl Future<Output = Result<Rows, DatabaseError>> + Send;
}

/// A value in a row or a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
}

/// What a statement returned.
pub type Rows = Vec<Row>;

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub Vec<Value>);

/// A statement did not run: the schema forbids it, the disk is full, the file is locked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database failed: {0}")]
pub struct DatabaseError(pub String);

impl Row {
    /// The whole number in column `index`; 0 if there is none.
    #[must_use]
    pub fn integer(&self, index: usize) -> i64 {
        self.optional_integer(index).unwrap_or(0)
    }

    /// The whole number in column `index`.
    #[must_use]
    pub fn optional_integer(&self, index: usize) -> Option<i64> {
        match self.0.get(index) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// The number in column `index`, which the schema keeps from being negative.
    #[must_use]
    pub fn unsigned(&self, index: usize) -> u64 {
        u64::try_from(self.integer(index)).unwrap_or(0)
    }

    /// The text in column `index`; empty if there is none.
    #[must_use]
    pub fn text(&self, index: usize) -> &str {
        match self.0.get(index) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The text in column `index`.
    #[must_use]
    pub fn optional_text(&self, index: usize) -> Option<&str> {
        match self.0.get(index) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u64> for Value {
    /// Numbers above the largest of SQLite's become that one; ours count milliseconds or rows.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<domain::Timestamp> for Value {
    fn from(timestamp: domain::Timestamp) -> Self {
        Self::Integer(timestamp.unix_ms())
    }
}

/// The parameters of a statement, each turned into a [`Value`].
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::database::Value::from($value)),*] };
}
pub(crate) use params;

/// Runs `work` in one transaction: all of it is done, or nothing.
///
/// The transaction takes the write lock at its beginning, so what `work` reads stays true until it
/// is committed.
pub(crate) async fn transaction<D: Database, T, E: From<DatabaseError>>(
    database: &D,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    database.execute("BEGIN IMMEDIATE", Vec::new()).await?;
    match work.await {
        Ok(value) => {
            database.execute("COMMIT", Vec::new()).await?;
            Ok(value)
        }
        Err(error) => {
            // SQLite has rolled back by itself after some errors; then this fails, and may.
            let _ = database.execute("ROLLBACK", Vec::new()).await;
            Err(error)
        }
    }
}

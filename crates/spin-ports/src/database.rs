//! Records in Spin's SQLite.
//!
//! By its synchronous calls: the asynchronous ones hand each result over as a stream and a future,
//! which takes longer than our statements, a few rows by an index each, take themselves.

use records::{Database, DatabaseError, Row, Rows, Value};
use spin_sdk::sqlite::{
    Error, Value as SpinValue,
    wit::sqlite::{Connection, QueryResult},
};

/// A connection to the component's database `default`.
pub struct SpinDatabase(Connection);

impl SpinDatabase {
    pub(crate) fn open() -> Result<Self, DatabaseError> {
        Connection::open("default").map(Self).map_err(error)
    }
}

impl Database for SpinDatabase {
    async fn execute(
        &self,
        statement: &str,
        parameters: Vec<Value>,
    ) -> Result<Rows, DatabaseError> {
        let parameters: Vec<_> = parameters.into_iter().map(to_spin).collect();
        let QueryResult { rows, .. } = self.0.execute(statement, &parameters).map_err(error)?;
        rows.into_iter()
            .map(|row| row.values.into_iter().map(from_spin).collect::<Result<_, _>>().map(Row))
            .collect()
    }
}

fn to_spin(value: Value) -> SpinValue {
    match value {
        Value::Null => SpinValue::Null,
        Value::Integer(number) => SpinValue::Integer(number),
        Value::Text(text) => SpinValue::Text(text),
    }
}

fn from_spin(value: SpinValue) -> Result<Value, DatabaseError> {
    match value {
        SpinValue::Null => Ok(Value::Null),
        SpinValue::Integer(number) => Ok(Value::Integer(number)),
        SpinValue::Text(text) => Ok(Value::Text(text)),
        SpinValue::Real(_) | SpinValue::Blob(_) => {
            Err(DatabaseError("the records have whole numbers and texts only".to_owned()))
        }
    }
}

fn error(error: Error) -> DatabaseError {
    match error {
        Error::Io(message) => DatabaseError(message),
        other => DatabaseError(other.to_string()),
    }
}

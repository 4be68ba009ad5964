//! The port to SQLite, on rusqlite, as the hosts of our components have it.

use std::{path::Path, sync::Mutex, time::Duration};

use records::{Database, DatabaseError, Row, Rows, Value};
use rusqlite::{Connection, types::Value as SqlValue};

/// One connection to a database in a file.
pub struct TestDatabase(Mutex<Connection>);

impl TestDatabase {
    /// Opens the database in the file at `path`.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        // No test pulls the plug of its machine, and months of billing pass in some.
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        connection.set_prepared_statement_cache_capacity(256);
        Self(Mutex::new(connection))
    }
}

impl Database for TestDatabase {
    async fn execute(
        &self,
        statement: &str,
        parameters: Vec<Value>,
    ) -> Result<Rows, DatabaseError> {
        let connection = self.0.lock().unwrap();
        run(&connection, statement, parameters).map_err(|error| DatabaseError(error.to_string()))
    }
}

fn run(
    connection: &Connection,
    statement: &str,
    parameters: Vec<Value>,
) -> Result<Rows, rusqlite::Error> {
    let mut statement = connection.prepare_cached(statement)?;
    let n_columns = statement.column_count();
    let parameters = parameters.into_iter().map(|value| match value {
        Value::Null => SqlValue::Null,
        Value::Integer(number) => SqlValue::Integer(number),
        Value::Text(text) => SqlValue::Text(text),
    });
    let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..n_columns).map(|index| {
            Ok(match row.get(index)? {
                SqlValue::Null => Value::Null,
                SqlValue::Integer(number) => Value::Integer(number),
                SqlValue::Text(text) => Value::Text(text),
                other => panic!("the records have no {other:?}"),
            })
        });
        found.push(Row(values.collect::<Result<_, rusqlite::Error>>()?));
    }
    Ok(found)
}

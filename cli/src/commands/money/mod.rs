//! What spaces used and what that costs, and where their owners are told.

pub(super) mod charges;
pub(super) mod contact;
pub(super) mod invoices;
pub(super) mod ledger;
pub(super) mod usage;

use serde_json::Value;

use crate::client::ClientArgs;

/// Which edge, as whom, and of which space.
#[derive(Debug, clap::Args)]
pub(crate) struct OfSpace {
    #[command(flatten)]
    client: ClientArgs,
    /// Name or id of the space.
    space: String,
}

/// What is in a field, for people.
pub(super) fn cell(value: &Value, field: &str) -> String {
    match &value[field] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A row with what is in each of these fields.
fn row(value: &Value, fields: &[&str]) -> Vec<String> {
    fields.iter().map(|it| cell(value, it)).collect()
}

/// Rows with what is in each of these fields of each of the items, below their names.
pub(super) fn rows(items: &Value, fields: &[&str]) -> Vec<Vec<String>> {
    let head = fields.iter().map(|it| it.replace('_', " ")).collect();
    let items = items.as_array().into_iter().flatten().map(|it| row(it, fields));
    std::iter::once(head).chain(items).collect()
}

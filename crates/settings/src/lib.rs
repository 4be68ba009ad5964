//! The settings of an app: what a tenant may choose, and whether what was chosen is allowed.
//!
//! Domain model: an app template declares a [`Schema`] of [`Setting`]s; a tenant sends a JSON
//! object; [`Schema::validate`] makes [`Settings`] of it or says which key is wrong. The schema
//! travels as a JSON Schema document (a small subset of draft 2020-12), so that a client can
//! draw a form from it and the edge can check a request without having the template.
//!
//! Owns: the subset, both ways, and the check. Does not own: what an app does with a value.

mod document;
mod schema;
mod values;

pub use schema::{Declaration, Kind, Schema, SchemaError, Setting, Type};
pub use values::{Settings, SettingsError, Value};

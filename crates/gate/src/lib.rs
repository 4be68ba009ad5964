//! The gate: a middleware that lets a request through with a passport, or answers itself.
//!
//! What it asks is the [`Guard`]'s to say. What it makes sure of is the way: a passport that came
//! from outside never reaches the handler, and a refused request doesn't either.

mod layer;

pub use layer::{Admission, Gate, GateLayer, Guard};

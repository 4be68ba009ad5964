//! Checks on the project's own text and shape. There is nothing here but tests, in `tests/`.

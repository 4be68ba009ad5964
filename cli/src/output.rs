//! What the program says: results on standard output, all else on standard error.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write as _},
    process::ExitCode,
};

use serde::Serialize;

/// Writes a line of the result.
///
/// # Errors
/// If nobody can read it.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    bytes(format!("{text}\n").as_bytes())
}

/// Writes a result for programs, on one line.
///
/// # Errors
/// If nobody can read it.
pub(crate) fn json(value: &impl Serialize) -> io::Result<()> {
    line(serde_json::to_string(value).map_err(io::Error::other)?)
}

/// Writes a part of the result as it is.
///
/// # Errors
/// If nobody can read it.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes rows below each other, their columns aligned.
///
/// # Errors
/// If nobody can read it.
pub(crate) fn table(rows: &[Vec<String>]) -> io::Result<()> {
    for row in aligned(rows) {
        line(row)?;
    }
    Ok(())
}

fn aligned(rows: &[Vec<String>]) -> impl Iterator<Item = String> {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|it| it.get(column));
        cells.map(|it| it.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    rows.iter().map(move |row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    })
}

/// Says something to a person who watches.
pub(crate) fn note(text: impl Display) {
    // Nobody watches? Then nobody misses it.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says in one line why the program failed.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    let closed = error.chain().filter_map(|it| it.downcast_ref::<io::Error>());
    if closed.map(io::Error::kind).any(|it| it == ErrorKind::BrokenPipe) {
        // Whoever reads has read enough.
        return ExitCode::SUCCESS;
    }
    note(format!("spaceport: {}", one_line(error)));
    ExitCode::FAILURE
}

/// An error with its causes, on one line.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_and_its_causes_are_one_line() {
        let error = anyhow::anyhow!("line 1\n  | x").context("cannot be run");
        assert_eq!(one_line(&error), "cannot be run: line 1 | x");
    }
}

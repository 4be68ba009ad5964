//! TOML errors on one line.

use serde::de::DeserializeOwned;

/// Why a text is not the TOML that was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TomlError {
    line: Option<usize>,
    message: String,
}

impl std::error::Error for TomlError {}

impl std::fmt::Display for TomlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Reads `text` as a `T`.
///
/// # Errors
/// [`TomlError`] with the line and, for an unknown key, its name.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let line = error.span().map(|it| text[..it.start.min(text.len())].lines().count().max(1));
        TomlError { line, message: error.message().replace('\n', " ") }
    })
}

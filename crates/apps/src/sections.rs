//! Reads `app.toml` section by section, so that an error in one hides none in another.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use crate::{
    Rule, TemplateFile,
    errors::Errors,
    lines::{Starts, join},
    paths,
};

/// What has not been read yet.
pub(crate) struct Sections<'a> {
    table: DeTable<'a>,
    pub(crate) errors: &'a mut Errors,
}

impl<'a> Sections<'a> {
    /// Nothing if the file is not TOML.
    pub(crate) fn of(toml: &'a str, errors: &'a mut Errors) -> Option<Self> {
        let (table, broken) = DeTable::parse_recoverable(toml);
        let starts = Starts::of(toml);
        for error in &broken {
            let line = error.span().map(|it| starts.line(it.start));
            let rule = Rule::Malformed(one_line(error.message()));
            errors.at(line, TemplateFile::App, "", rule);
        }
        broken.is_empty().then(|| Self { table: table.into_inner(), errors })
    }

    /// The section `key`, if it is there and right.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.table.remove(key)?;
        read(value, key, self.errors)
    }

    /// The section `key`, which has to be there.
    pub(crate) fn require<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        if !self.table.contains_key(key) {
            self.errors.app(key, Rule::Missing);
        }
        self.take(key)
    }

    /// The entries of the section `key` that are right.
    pub(crate) fn entries<T: DeserializeOwned>(&mut self, key: &str) -> BTreeMap<String, T> {
        let mut entries = BTreeMap::new();
        match self.table.remove(key).map(Spanned::into_inner) {
            None => {}
            Some(DeValue::Table(table)) => {
                for (name, value) in table {
                    let name = name.into_inner().into_owned();
                    let value = read(value, &join(key, &name), self.errors);
                    entries.extend(value.map(|it| (name, it)));
                }
            }
            Some(_) => self.errors.app(key, Rule::OutOfRange("a table")),
        }
        entries
    }

    /// The names in the section `key`.
    pub(crate) fn names(&self, key: &str) -> Vec<String> {
        let table = self.table.get(key).and_then(|it| it.get_ref().as_table());
        table.into_iter().flat_map(DeTable::keys).map(|it| it.get_ref().to_string()).collect()
    }

    /// Whether the section `key` is still there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Leaves the section `key` unread.
    pub(crate) fn forget(&mut self, key: &str) {
        self.table.remove(key);
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(self) {
        for name in self.table.keys() {
            self.errors.app(name.get_ref().as_ref(), Rule::NotSupported { why: "" });
        }
    }
}

fn read<T: DeserializeOwned>(
    value: Spanned<DeValue<'_>>,
    key: &str,
    errors: &mut Errors,
) -> Option<T> {
    let mut unknown = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let tracked =
        serde_path_to_error::Deserializer::new(ValueDeserializer::from(value), &mut track);
    let read = serde_ignored::deserialize(tracked, |it| unknown.push(paths::key_of(&it)));
    for name in unknown {
        errors.app(join(key, &name), Rule::NotSupported { why: "" });
    }
    let error = match read {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let path = Some(track.path().to_string()).filter(|it| it != ".").unwrap_or_default();
    let key = if path.starts_with('[') || path.is_empty() {
        format!("{key}{path}")
    } else {
        join(key, &path)
    };
    let between = |start: &str| error.message().strip_prefix(start)?.split('`').next();
    if let Some(name) = between("missing field `") {
        errors.app(join(&key, name), Rule::Missing);
    } else if between("unknown field `").is_some() {
        errors.app(key, Rule::NotSupported { why: "" });
    } else {
        errors.app(key, Rule::Malformed(one_line(error.message())));
    }
    None
}

/// One line, whatever the library says.
fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join(", ")
}

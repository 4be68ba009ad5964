//! `runtime-config.toml`: where the stores are.
//!
//! Only stores in SQLite files are known. A store of another type is refused by name: whoever needs
//! Redis or libSQL needs more than one machine, and runs Spin.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::manifest::{TomlError, parse_toml};

/// Why a runtime configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeConfigError {
    /// The text is not TOML, or has an unknown key.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// A store has a key that is not known.
    #[error("[{table}.{label}] has the unknown key `{key}`")]
    UnknownKey {
        /// The table of the store.
        table: &'static str,
        /// Its label.
        label: String,
        /// The key.
        key: String,
    },
    /// A store of a type that needs Spin.
    #[error("[{table}.{label}] has type {kind:?}; the embedded edge has only type \"spin\"")]
    StoreType {
        /// The table of the store.
        table: &'static str,
        /// Its label.
        label: String,
        /// Its type.
        kind: String,
    },
}

/// The file of each store, by label.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RuntimeConfig {
    pub(crate) key_value_stores: BTreeMap<String, PathBuf>,
    pub(crate) sqlite_databases: BTreeMap<String, PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    state_dir: Option<PathBuf>,
    #[serde(default)]
    key_value_store: BTreeMap<String, StoreTable>,
    #[serde(default)]
    sqlite_database: BTreeMap<String, StoreTable>,
}

#[derive(Deserialize)]
struct StoreTable {
    #[serde(rename = "type")]
    kind: String,
    path: Option<PathBuf>,
    #[serde(flatten)]
    rest: toml::Table,
}

impl RuntimeConfig {
    /// The label that every application has.
    const DEFAULT_LABEL: &str = "default";
    /// Where Spin keeps key-value pairs when nobody says otherwise.
    const KEY_VALUE_FILE: &str = "sqlite_key_value.db";
    /// Where Spin keeps the default database when nobody says otherwise.
    const SQLITE_FILE: &str = "sqlite_db.db";

    /// Reads `text`. Relative paths are below `state_dir`, and so is a `state_dir` in the text.
    ///
    /// # Errors
    /// [`RuntimeConfigError`] for everything that is not known here.
    pub(crate) fn parse(text: &str, state_dir: &Path) -> Result<Self, RuntimeConfigError> {
        let document: Document = parse_toml(text)?;
        let base = document.state_dir.map_or(state_dir.to_owned(), |it| state_dir.join(it));

        let key_value = ("key_value_store", document.key_value_store);
        let sqlite = ("sqlite_database", document.sqlite_database);
        Ok(Self {
            key_value_stores: paths(key_value, |_| base.join(Self::KEY_VALUE_FILE), &base)?,
            sqlite_databases: paths(sqlite, |label| base.join(Self::sqlite_file(label)), &base)?,
        })
    }

    fn sqlite_file(label: &str) -> String {
        match label {
            Self::DEFAULT_LABEL => Self::SQLITE_FILE.to_owned(),
            label => format!("{label}.db"),
        }
    }
}

fn paths(
    (table, stores): (&'static str, BTreeMap<String, StoreTable>),
    default: impl Fn(&str) -> PathBuf,
    base: &Path,
) -> Result<BTreeMap<String, PathBuf>, RuntimeConfigError> {
    let first = RuntimeConfig::DEFAULT_LABEL;
    let mut paths = BTreeMap::from([(first.to_owned(), default(first))]);
    for (label, store) in stores {
        if store.kind != "spin" {
            return Err(RuntimeConfigError::StoreType { table, label, kind: store.kind });
        }
        if let Some((key, _)) = store.rest.into_iter().next() {
            return Err(RuntimeConfigError::UnknownKey { table, label, key });
        }
        let path = store.path.map_or_else(|| default(&label), |it| base.join(it));
        paths.insert(label, path);
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RuntimeConfig, String> {
        RuntimeConfig::parse(text, Path::new("/state")).map_err(|it| it.to_string())
    }

    fn stores(pairs: &[(&str, &str)]) -> BTreeMap<String, PathBuf> {
        pairs.iter().map(|(label, path)| ((*label).to_owned(), PathBuf::from(path))).collect()
    }

    #[test]
    fn paths_are_below_the_state_directory() {
        let rows = [
            ("", "/state/sqlite_key_value.db", "/state/sqlite_db.db"),
            ("state_dir = 'x'", "/state/x/sqlite_key_value.db", "/state/x/sqlite_db.db"),
            ("state_dir = '/x'", "/x/sqlite_key_value.db", "/x/sqlite_db.db"),
            (
                "[key_value_store.default]\ntype = 'spin'\npath = 'kv.db'\n\
                 [sqlite_database.default]\ntype = 'spin'\npath = '/abs.db'",
                "/state/kv.db",
                "/abs.db",
            ),
        ];
        for (text, key_value, sqlite) in rows {
            let want = RuntimeConfig {
                key_value_stores: stores(&[("default", key_value)]),
                sqlite_databases: stores(&[("default", sqlite)]),
            };
            assert_eq!(parse(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn a_second_label_has_a_place_of_its_own() {
        let config = parse("[sqlite_database.records]\ntype = 'spin'").unwrap();
        let want = [("default", "/state/sqlite_db.db"), ("records", "/state/records.db")];
        assert_eq!(config.sqlite_databases, stores(&want));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let rows = [
            ("[key_value_store.default]\ntype = 'redis'\nurl = 'x'", "redis"),
            ("[sqlite_database.default]\ntype = 'libsql'\nurl = 'x'\ntoken = 'y'", "libsql"),
            ("[sqlite_database.default]\ntype = 'spin'\nallow_attach_file = true", "allow_attach"),
            ("[[variables_provider]]\ntype = 'vault'", "variables_provider"),
            ("[outbound_networking]\nblock_networks = []", "outbound_networking"),
            ("log_dir = 'x'", "log_dir"),
        ];
        for (text, want) in rows {
            let error = parse(text).unwrap_err();
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}

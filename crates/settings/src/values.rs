//! What a tenant chose, checked against a schema.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::{Kind, Schema, Setting};

/// The value of one setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// On or off.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Text; never has a NUL, which no environment variable could carry.
    String(String),
}

/// Checked settings: every key is in the schema and every default is filled in.
///
/// Serialized without those that were left open, so that the schema takes what it gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, Option<Value>>);

/// Why settings are not accepted. Names the key, for the tenant to read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The settings are something other than a JSON object.
    #[error("settings must be an object")]
    NotAnObject,
    /// The app has no such setting.
    #[error("settings.{key}: this app has no such setting")]
    Unknown {
        /// The rejected key.
        key: String,
    },
    /// The app needs this one and has no default for it.
    #[error("settings.{key}: required")]
    Missing {
        /// The missing key.
        key: String,
    },
    /// The value breaks a rule of the schema.
    #[error("settings.{key}: {rule}")]
    Refused {
        /// The key of the value.
        key: String,
        /// What the value would have to be, as a sentence part: `must be an integer`.
        rule: String,
    },
}

impl Value {
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Boolean(it) => (*it).into(),
            Self::Integer(it) => (*it).into(),
            Self::String(it) => it.as_str().into(),
        }
    }
}

impl Settings {
    /// What the app is told: a name such as `SETTING_THEME`, and the value as text.
    ///
    /// A setting that was left open and has no default is the empty string.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        self.0.iter().map(|(key, value)| (variable(key), text(value.as_ref()))).collect()
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().filter(|(_, value)| value.is_some()))
    }
}

/// The name under which a template uses the setting `key`.
pub(crate) fn variable(key: &str) -> String {
    format!("SETTING_{}", key.to_ascii_uppercase())
}

fn text(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::Boolean(it)) => it.to_string(),
        Some(Value::Integer(it)) => it.to_string(),
        Some(Value::String(it)) => it.clone(),
    }
}

impl Schema {
    /// Checks what a tenant sent and fills in the defaults. `null` and nothing at all are `{}`.
    ///
    /// # Errors
    /// [`SettingsError`], which names the first key that is wrong.
    pub fn validate(&self, sent: &serde_json::Value) -> Result<Settings, SettingsError> {
        let empty = serde_json::Map::new();
        let sent = match sent {
            serde_json::Value::Null => &empty,
            serde_json::Value::Object(it) => it,
            _ => return Err(SettingsError::NotAnObject),
        };
        if let Some(key) = sent.keys().find(|it| !self.settings().contains_key(*it)) {
            return Err(SettingsError::Unknown { key: key.clone() });
        }
        let chosen = self.settings().iter().map(|(key, setting)| {
            let value = choose(setting, sent.get(key)).map_err(|it| it.at(key))?;
            Ok((key.clone(), value))
        });
        chosen.collect::<Result<_, _>>().map(Settings)
    }
}

/// A refusal that does not know its key yet.
enum Refusal {
    Missing,
    Rule(String),
}

impl Refusal {
    fn at(self, key: &str) -> SettingsError {
        let key = key.to_owned();
        match self {
            Self::Missing => SettingsError::Missing { key },
            Self::Rule(rule) => SettingsError::Refused { key, rule },
        }
    }
}

fn choose(setting: &Setting, sent: Option<&serde_json::Value>) -> Result<Option<Value>, Refusal> {
    match sent {
        None if setting.default.is_some() => Ok(setting.default.clone()),
        None if setting.required => Err(Refusal::Missing),
        None => Ok(None),
        Some(json) => check(&setting.kind, json).map(Some).map_err(Refusal::Rule),
    }
}

/// The value in `json`, or the rule that it breaks.
pub(crate) fn check(kind: &Kind, json: &serde_json::Value) -> Result<Value, String> {
    match kind {
        Kind::Boolean => json.as_bool().map(Value::Boolean).ok_or("must be true or false".into()),
        Kind::Integer { minimum, maximum } => {
            let number = json.as_i64().ok_or("must be an integer")?;
            if number < *minimum || *maximum < number {
                return Err(format!("must be from {minimum} to {maximum}"));
            }
            Ok(Value::Integer(number))
        }
        Kind::String { max_length, allowed } => {
            let text = json.as_str().ok_or("must be a string")?;
            if text.contains('\0') {
                return Err("must not contain NUL".into());
            }
            if usize::try_from(*max_length).is_ok_and(|it| it < text.chars().count()) {
                return Err(format!("must have at most {max_length} characters"));
            }
            if !allowed.is_empty() && !allowed.iter().any(|it| it == text) {
                return Err(format!("must be one of: {}", allowed.join(", ")));
            }
            Ok(Value::String(text.to_owned()))
        }
    }
}

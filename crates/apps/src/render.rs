//! Fills in the values of one space.

use std::collections::BTreeMap;

use crate::{
    Service, Template,
    interpolate::{ExpandError, expand},
};

/// Why values could not be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A variable that the template uses has no value.
    #[error("services.{service}: no value for {variable}")]
    MissingValue {
        /// The service that uses it.
        service: String,
        /// The name of the variable.
        variable: String,
    },
    /// No environment and no argument can carry this value.
    #[error("services.{service}: the value of {variable} has a NUL")]
    Nul {
        /// The service that uses it.
        service: String,
        /// The name of the variable.
        variable: String,
    },
    /// A string that no parsed template has.
    #[error("services.{service}: {rule}")]
    Malformed {
        /// The service that has it.
        service: String,
        /// How a variable is written.
        rule: String,
    },
}

impl Template {
    /// The services of one space: environment and command with `values` filled in.
    ///
    /// # Errors
    /// [`RenderError`] if a value is missing or has a NUL, which no environment could carry.
    pub fn render(&self, values: &BTreeMap<String, String>) -> Result<Vec<Service>, RenderError> {
        self.services.iter().map(|it| it.render(values)).collect()
    }
}

/// `text` with every variable filled in.
///
/// # Errors
/// [`RenderError`], of which the service is empty.
pub fn expand_text(text: &str, values: &BTreeMap<String, String>) -> Result<String, RenderError> {
    expand(text, |name| value(values, name)).map_err(|error| render_error(String::new(), error))
}

/// `json` with every variable in its strings filled in. Keys are left as they are.
///
/// # Errors
/// [`RenderError`], of which the service is empty.
pub fn expand_json(
    json: &serde_json::Value,
    values: &BTreeMap<String, String>,
) -> Result<serde_json::Value, RenderError> {
    use serde_json::Value;
    Ok(match json {
        Value::String(text) => Value::String(expand_text(text, values)?),
        Value::Array(items) => {
            let items = items.iter().map(|it| expand_json(it, values));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(members) => {
            let members =
                members.iter().map(|(key, it)| Ok((key.clone(), expand_json(it, values)?)));
            Value::Object(members.collect::<Result<_, RenderError>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => json.clone(),
    })
}

impl Service {
    fn render(&self, values: &BTreeMap<String, String>) -> Result<Self, RenderError> {
        let fill = |text: &String| {
            let service = self.name.clone();
            expand(text, |name| value(values, name)).map_err(|error| render_error(service, error))
        };
        let environment =
            self.environment.iter().map(|(name, text)| Ok((name.clone(), fill(text)?)));
        let environment = environment.collect::<Result<_, _>>()?;
        let command = self.command.as_ref().map(|it| it.iter().map(fill).collect());
        Ok(Self { environment, command: command.transpose()?, ..self.clone() })
    }
}

fn render_error(service: String, error: ExpandError<BadValue>) -> RenderError {
    match error {
        ExpandError::Syntax => {
            let rule = ExpandError::<BadValue>::Syntax.to_string();
            RenderError::Malformed { service, rule }
        }
        ExpandError::Lookup(BadValue::Missing(variable)) => {
            RenderError::MissingValue { service, variable }
        }
        ExpandError::Lookup(BadValue::Nul(variable)) => RenderError::Nul { service, variable },
    }
}

#[derive(Debug, thiserror::Error)]
enum BadValue {
    #[error("no value for {0}")]
    Missing(String),
    #[error("the value of {0} has a NUL")]
    Nul(String),
}

fn value(values: &BTreeMap<String, String>, name: &str) -> Result<String, BadValue> {
    match values.get(name) {
        None => Err(BadValue::Missing(name.to_owned())),
        Some(it) if it.contains('\0') => Err(BadValue::Nul(name.to_owned())),
        Some(it) => Ok(it.clone()),
    }
}

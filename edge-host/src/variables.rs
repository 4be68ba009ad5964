//! Variables: names, `{{ templates }}`, and where values come from.
//!
//! Source: Spin's `crates/expressions`, for what is a name, what is a template and what an unknown
//! name answers.

use std::collections::BTreeMap;

/// Why variables are not right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// A name has a form that no variable may have.
    #[error(
        "{0:?} is not a variable name: lower-case letters, digits and single inner underscores, \
         beginning with a letter"
    )]
    BadName(String),
    /// `required` and `default` contradict each other.
    #[error("variable {0} must have either required = true or a default")]
    RequiredOrDefault(String),
    /// A required variable was given no value.
    #[error("variable {0} is required and has no value: set SPIN_VARIABLE_{upper}", upper = .0.to_uppercase())]
    Missing(String),
    /// A `{{` has no `}}`.
    #[error("template {0:?} has a '{{{{' without '}}}}'")]
    Unclosed(String),
    /// A template names a variable that the application does not have.
    #[error("template {template:?} names variable {name:?}, which [variables] does not have")]
    UnknownName {
        /// The template.
        template: String,
        /// The name in it.
        name: String,
    },
}

/// A variable as the manifest declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    /// What it is when nobody says. `None` means that somebody must.
    pub(crate) default: Option<String>,
}

/// The values of the application's variables. All are set.
#[derive(Debug, Default)]
pub(crate) struct Values(BTreeMap<String, String>);

impl Values {
    /// Takes each declared variable from `given`, else from its default. What `given` has beyond
    /// the declared ones is not for this application.
    ///
    /// # Errors
    /// [`VariableError::Missing`] for the first required variable that has no value.
    pub(crate) fn resolve(
        declared: &BTreeMap<String, Declared>,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, VariableError> {
        let mut values = BTreeMap::new();
        for (name, variable) in declared {
            let value = given
                .get(name)
                .or(variable.default.as_ref())
                .ok_or_else(|| VariableError::Missing(name.clone()))?;
            values.insert(name.clone(), value.clone());
        }
        Ok(Self(values))
    }

    /// `template` with each `{{ name }}` replaced by its value.
    ///
    /// # Errors
    /// [`VariableError`] if the template is not one, or names an unknown variable.
    pub(crate) fn expand(&self, template: &str) -> Result<String, VariableError> {
        let mut expanded = String::new();
        let mut rest = template;
        while let Some((literal, after)) = rest.split_once("{{") {
            let (name, after) = after
                .split_once("}}")
                .ok_or_else(|| VariableError::Unclosed(template.to_owned()))?;
            let name = name.trim();
            let value = self.0.get(name).ok_or_else(|| VariableError::UnknownName {
                template: template.to_owned(),
                name: name.to_owned(),
            })?;
            expanded.push_str(literal);
            expanded.push_str(value);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

/// Checks that `name` is one that a variable may have.
///
/// # Errors
/// [`VariableError::BadName`] otherwise.
pub(crate) fn check_name(name: &str) -> Result<(), VariableError> {
    let is_name = name.starts_with(|it: char| it.is_ascii_lowercase())
        && name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
        && !name.ends_with('_')
        && !name.contains("__");
    if is_name { Ok(()) } else { Err(VariableError::BadName(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn names() {
        let rows = [
            ("a", true),
            ("a1_b", true),
            ("", false),
            ("1a", false),
            ("_a", false),
            ("a_", false),
            ("a__b", false),
            ("A", false),
            ("a-b", false),
        ];
        for (name, want) in rows {
            assert_eq!(check_name(name).is_ok(), want, "{name:?}");
        }
    }

    #[test]
    fn templates_expand() {
        let values = Values(map(&[("host", "example.org"), ("port", "81"), ("empty", "")]));
        let unknown = |template: &str, name: &str| {
            Err(VariableError::UnknownName { template: template.into(), name: name.into() })
        };
        let rows = [
            ("", Ok("")),
            ("plain }} text", Ok("plain }} text")),
            ("{{ host }}", Ok("example.org")),
            ("http://{{host}}:{{  port }}/", Ok("http://example.org:81/")),
            ("a{{ empty }}b", Ok("ab")),
            ("{{ other }}", unknown("{{ other }}", "other")),
            ("{{}}", unknown("{{}}", "")),
            ("{{ host }} {{ port", Err(VariableError::Unclosed("{{ host }} {{ port".into()))),
        ];
        for (template, want) in rows {
            assert_eq!(values.expand(template), want.map(str::to_owned), "{template:?}");
        }
    }

    #[test]
    fn a_given_value_goes_before_the_default_and_a_required_one_must_be_given() {
        let declared = BTreeMap::from([
            ("a".to_owned(), Declared { default: Some("default".to_owned()) }),
            ("b".to_owned(), Declared { default: None }),
        ]);
        let resolve =
            |given: &[(&str, &str)]| Values::resolve(&declared, &map(given)).map(|it| it.0);

        assert_eq!(resolve(&[("b", "1")]), Ok(map(&[("a", "default"), ("b", "1")])));
        assert_eq!(
            resolve(&[("a", "2"), ("b", "1"), ("c", "3")]),
            Ok(map(&[("a", "2"), ("b", "1")]))
        );
        assert_eq!(resolve(&[("a", "2")]), Err(VariableError::Missing("b".to_owned())));
    }
}

//! Values of a compose file that have a list form and another one.
//!
//! They are read whatever they are and judged later, so that one that is wrong hides no other.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

use crate::{DependsOn, Rule, errors::Errors, interpolate::is_name, lines::join};

/// A string, a list of strings, or what is neither.
#[derive(Clone, Debug)]
pub(crate) enum Texts {
    One(String),
    List(Vec<String>),
    Other,
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of strings")
    }

    fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
        Ok(Texts::One(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Texts, E> {
        Ok(Texts::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Texts, E> {
        Ok(Texts::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Texts, E> {
        Ok(Texts::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Texts, E> {
        Ok(Texts::Other)
    }

    fn visit_unit<E>(self) -> Result<Texts, E> {
        Ok(Texts::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Texts::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
        // Read rather than ignored: what is ignored counts as a key that nobody knows.
        while map.next_entry::<String, serde_json::Value>()?.is_some() {}
        Ok(Texts::Other)
    }
}

impl Texts {
    /// A command: a list of arguments, or one string that is split like a shell would.
    pub(crate) fn arguments(self) -> Result<Vec<String>, &'static str> {
        match self {
            Self::One(text) => split(&text),
            Self::List(items) => Ok(items),
            Self::Other => Err("must be a string or a list of strings"),
        }
    }

    /// A health check as Docker takes it. Compose's string form would need a shell in the image and
    /// hides it.
    pub(crate) fn health_test(self) -> Result<Vec<String>, &'static str> {
        const FORM: &str = r#"a test is ["CMD", program, …], ["CMD-SHELL", line] or ["NONE"]"#;
        let Self::List(test) = self else { return Err(FORM) };
        match (test.first().map(String::as_str), test.len()) {
            (Some("NONE"), 1) | (Some("CMD-SHELL"), 2) | (Some("CMD"), 2..) => Ok(test),
            _ => Err(FORM),
        }
    }
}

/// Splits a command at blanks, with quotes as in a shell and nothing else of one.
fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut arguments = Vec::new();
    let mut current: Option<String> = None;
    let mut quote = None;
    for it in text.chars() {
        match (quote, it) {
            (Some(open), _) if open == it => quote = None,
            (Some(_), _) => current.get_or_insert_default().push(it),
            (None, '"' | '\'') => {
                quote = Some(it);
                current.get_or_insert_default();
            }
            (None, '\\') => return Err("use a list for a command with backslashes"),
            (None, ' ' | '\t' | '\n') => arguments.extend(current.take()),
            (None, _) => current.get_or_insert_default().push(it),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    arguments.extend(current);
    Ok(arguments)
}

/// Environment variables: a map, or a list of `NAME=value`. In order, with what has no value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(Vec<(String, Option<String>)>);

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EnvironmentVisitor)
    }
}

struct EnvironmentVisitor;

impl<'de> Visitor<'de> for EnvironmentVisitor {
    type Value = Environment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map or a list of NAME=value")
    }

    fn visit_unit<E>(self) -> Result<Environment, E> {
        Ok(Environment::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Environment, A::Error> {
        let mut variables = Vec::new();
        while let Some(entry) = map.next_entry()? {
            variables.push(entry);
        }
        Ok(Environment(variables))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Environment, A::Error> {
        let mut variables = Vec::new();
        while let Some(entry) = list.next_element::<String>()? {
            variables.push(match entry.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (entry, None),
            });
        }
        Ok(Environment(variables))
    }
}

impl Environment {
    pub(crate) fn check(self, key: &str, errors: &mut Errors) -> BTreeMap<String, String> {
        const UNSET: &str = "has no value: the environment of the worker is not passed on";
        let mut variables = BTreeMap::new();
        for (name, value) in self.0 {
            let own = join(key, &name);
            let twice = variables.contains_key(&name).then_some("is there twice");
            let wrong = (!is_name(&name)).then_some("can't be the name of a variable").or(twice);
            match wrong.map_or(value.ok_or(UNSET), Err) {
                Ok(value) => drop(variables.insert(name, value)),
                Err(what) => errors.compose(own, Rule::Malformed(what.to_owned())),
            }
        }
        variables
    }
}

/// What has to run first: a list of services, or a map with a condition for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependencies(Vec<(String, String)>);

#[derive(Deserialize)]
struct ConditionFile {
    condition: String,
}

impl<'de> Deserialize<'de> for Dependencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DependenciesVisitor)
    }
}

struct DependenciesVisitor;

impl<'de> Visitor<'de> for DependenciesVisitor {
    type Value = Dependencies;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of services, or a map from service to condition")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Dependencies, A::Error> {
        let mut dependencies = Vec::new();
        while let Some((service, file)) = map.next_entry::<String, ConditionFile>()? {
            dependencies.push((service, file.condition));
        }
        Ok(Dependencies(dependencies))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Dependencies, A::Error> {
        let mut dependencies = Vec::new();
        while let Some(service) = list.next_element()? {
            dependencies.push((service, "service_started".to_owned()));
        }
        Ok(Dependencies(dependencies))
    }
}

impl Dependencies {
    pub(crate) fn check(self, key: &str, errors: &mut Errors) -> Vec<DependsOn> {
        let mut dependencies = Vec::new();
        for (service, condition) in self.0 {
            let healthy = match condition.as_str() {
                "service_started" => false,
                "service_healthy" => true,
                _ => {
                    let rule = Rule::OutOfRange("service_started or service_healthy");
                    errors.compose(format!("{key}.{service}.condition"), rule);
                    continue;
                }
            };
            dependencies.push(DependsOn { service, healthy });
        }
        dependencies
    }
}

//! Values of a compose file that have a list form and another one.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

use crate::{DependsOn, interpolate::is_name};

/// A command: a list of arguments, or one string that is split like a shell would.
#[derive(Clone, Debug)]
pub(crate) struct Arguments(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgumentsVisitor;

        impl<'de> Visitor<'de> for ArgumentsVisitor {
            type Value = Arguments;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Arguments, E> {
                split(text).map(Arguments).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Arguments, A::Error> {
                let mut arguments = Vec::new();
                while let Some(argument) = list.next_element()? {
                    arguments.push(argument);
                }
                Ok(Arguments(arguments))
            }
        }
        deserializer.deserialize_any(ArgumentsVisitor)
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

/// Environment variables: a map, or a list of `NAME=value`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(pub(crate) BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Environment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnvironmentVisitor;

        impl<'de> Visitor<'de> for EnvironmentVisitor {
            type Value = Environment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map or a list of NAME=value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Environment, A::Error> {
                let mut variables = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
                    let value = value.ok_or_else(|| A::Error::custom(format!("{name} {UNSET}")))?;
                    insert(&mut variables, &name, value).map_err(A::Error::custom)?;
                }
                Ok(Environment(variables))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Environment, A::Error> {
                let mut variables = BTreeMap::new();
                while let Some(entry) = list.next_element::<String>()? {
                    let (name, value) = entry
                        .split_once('=')
                        .ok_or_else(|| A::Error::custom(format!("{entry} {UNSET}")))?;
                    insert(&mut variables, name, value.to_owned()).map_err(A::Error::custom)?;
                }
                Ok(Environment(variables))
            }
        }
        deserializer.deserialize_any(EnvironmentVisitor)
    }
}

const UNSET: &str = "has no value: the environment of the worker is not passed on";

fn insert(
    variables: &mut BTreeMap<String, String>,
    name: &str,
    value: String,
) -> Result<(), String> {
    if !is_name(name) {
        return Err(format!("{name:?} can't be the name of a variable"));
    }
    match variables.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(format!("{name} is there twice")),
    }
}

/// What has to run first: a list of services, or a map with a condition for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependencies(pub(crate) Vec<DependsOn>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionFile {
    condition: Condition,
}

#[derive(Deserialize)]
enum Condition {
    #[serde(rename = "service_started")]
    Started,
    #[serde(rename = "service_healthy")]
    Healthy,
}

impl<'de> Deserialize<'de> for Dependencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DependenciesVisitor;

        impl<'de> Visitor<'de> for DependenciesVisitor {
            type Value = Dependencies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of services, or a map from service to condition")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Dependencies, A::Error> {
                let mut dependencies = Vec::new();
                while let Some((service, file)) = map.next_entry::<String, ConditionFile>()? {
                    let healthy = matches!(file.condition, Condition::Healthy);
                    dependencies.push(DependsOn { service, healthy });
                }
                Ok(Dependencies(dependencies))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Dependencies, A::Error> {
                let mut dependencies = Vec::new();
                while let Some(service) = list.next_element()? {
                    dependencies.push(DependsOn { service, healthy: false });
                }
                Ok(Dependencies(dependencies))
            }
        }
        deserializer.deserialize_any(DependenciesVisitor)
    }
}

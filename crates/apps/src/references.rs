//! What the services of a compose file say about each other, and which variables they use.

use std::collections::BTreeSet;

use crate::{
    Rule, Service, Template, TemplateFile,
    errors::Errors,
    interpolate::{ExpandError, NUL, expand},
};

/// What a command may use about the space. Not its title: that is any text of its owner's.
const SPACE_VARIABLES_OF_COMMAND: [&str; 4] = ["SPACE_ID", "SPACE_NAME", "SPACE_URL", "SPACE_HOST"];

/// The services, each after those that it depends on; otherwise by name.
pub(crate) fn in_order(
    services: Vec<Service>,
    volumes: &[String],
    errors: &mut Errors,
) -> Vec<Service> {
    for service in &services {
        check_dependencies(service, &services, errors);
        check_mounts(service, volumes, errors);
    }
    let mut waiting = services;
    let mut ordered: Vec<Service> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_waiting = |name: &str| waiting.iter().any(|it| it.name == name);
        let is_next = |it: &Service| !it.depends_on.iter().any(|on| is_waiting(&on.service));
        let next = waiting.iter().position(is_next).unwrap_or_else(|| {
            let at = in_a_circle(&waiting);
            let key = format!("services.{}.depends_on", waiting[at].name);
            errors.compose(key, Rule::Cycle);
            at
        });
        ordered.push(waiting.remove(next));
    }
    ordered
}

/// One service of a circle: where you get by following what is waited for long enough.
fn in_a_circle(waiting: &[Service]) -> usize {
    let waits_for = |at: usize| {
        let on = &waiting[at].depends_on;
        waiting.iter().position(|it| on.iter().any(|on| on.service == it.name)).unwrap_or(at)
    };
    waiting.iter().fold(0, |at, _| waits_for(at))
}

fn check_dependencies(service: &Service, services: &[Service], errors: &mut Errors) {
    for on in &service.depends_on {
        let key = format!("services.{}.depends_on.{}", service.name, on.service);
        let Some(other) = services.iter().find(|it| it.name == on.service) else {
            let rule = Rule::Undefined { kind: "service", name: on.service.clone() };
            errors.compose(key, rule);
            continue;
        };
        // The image may have a check too, but nobody reading the template would know.
        let has_none = other.healthcheck.as_ref().is_none_or(|it| it.test == ["NONE"]);
        let check = format!("services.{}.healthcheck", other.name);
        if on.healthy && has_none && !errors.is_broken(TemplateFile::Compose, &check) {
            errors.compose(key, Rule::NoHealthcheck { service: other.name.clone() });
        }
    }
}

fn check_mounts(service: &Service, volumes: &[String], errors: &mut Errors) {
    let mut targets = BTreeSet::new();
    for mount in &service.mounts {
        let key = format!("services.{}.volumes.{}", service.name, mount.volume);
        if !volumes.contains(&mount.volume) {
            let rule = Rule::Undefined { kind: "volume", name: mount.volume.clone() };
            errors.compose(key, rule);
        } else if !targets.insert(mount.target.as_str()) {
            errors.compose(key, Rule::MountedTwice(mount.target.clone()));
        }
    }
}

/// Whether every variable of the services is known, and may be where it is.
pub(crate) fn check_variables(template: &Template, known: &BTreeSet<String>, errors: &mut Errors) {
    for service in &template.services {
        for (name, text) in &service.environment {
            let key = format!("services.{}.environment.{name}", service.name);
            if let Err(rule) = variables_of(text, known, |_| true) {
                errors.compose(key, rule);
            }
        }
        // A command may be a line for a shell, which would run what a tenant wrote.
        let is_harmless = |name: &str| {
            SPACE_VARIABLES_OF_COMMAND.contains(&name) || template.secrets.contains_key(name)
        };
        for (at, text) in service.command.iter().flatten().enumerate() {
            let key = format!("services.{}.command[{at}]", service.name);
            if let Err(rule) = variables_of(text, known, is_harmless) {
                errors.compose(key, rule);
            }
        }
    }
}

/// Whether `text` uses only `known` variables that are allowed where it is.
pub(crate) fn variables_of(
    text: &str,
    known: &BTreeSet<String>,
    is_allowed: impl Fn(&str) -> bool,
) -> Result<(), Rule> {
    if text.contains('\0') {
        return Err(Rule::Malformed(NUL.to_owned()));
    }
    let lookup = |name: &str| {
        if !known.contains(name) {
            Err(Rule::Undefined { kind: "variable", name: name.to_owned() })
        } else if is_allowed(name) {
            Ok(String::new())
        } else {
            Err(Rule::EnvironmentOnly(name.to_owned()))
        }
    };
    match expand(text, lookup) {
        Ok(_) => Ok(()),
        Err(ExpandError::Lookup(rule)) => Err(rule),
        Err(ExpandError::Syntax) => Err(Rule::Malformed(ExpandError::<Rule>::Syntax.to_string())),
    }
}

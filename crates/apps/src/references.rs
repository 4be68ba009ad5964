//! What the parts of a template say about each other.

use std::collections::BTreeSet;

use crate::{
    Rule, Service, Template, TemplateError,
    interpolate::{ExpandError, expand},
};

/// What a command may use about the space. Not its title: that is any text of its owner's.
const SPACE_VARIABLES_OF_COMMAND: [&str; 3] = ["SPACE_NAME", "SPACE_URL", "SPACE_HOST"];

/// The services, each after those that it depends on; otherwise by name.
pub(crate) fn in_order(
    services: Vec<Service>,
    volumes: &[String],
) -> Result<Vec<Service>, TemplateError> {
    for service in &services {
        check_dependencies(service, &services)?;
        check_mounts(service, volumes)?;
    }
    let mut waiting = services;
    let mut ordered: Vec<Service> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_next = |it: &Service| {
            it.depends_on.iter().all(|on| ordered.iter().any(|done| done.name == on.service))
        };
        match waiting.iter().position(is_next) {
            Some(at) => ordered.push(waiting.remove(at)),
            None => return Err(cycle(&waiting)),
        }
    }
    Ok(ordered)
}

/// Names one service of a circle: where you get by following what is waited for long enough.
fn cycle(waiting: &[Service]) -> TemplateError {
    let waits_for = |service: &Service| {
        waiting.iter().find(|it| service.depends_on.iter().any(|on| on.service == it.name))
    };
    let mut at = waiting.first();
    for _ in waiting {
        at = at.and_then(waits_for);
    }
    let name = at.map_or("", |it| it.name.as_str());
    TemplateError::compose(format!("services.{name}.depends_on"), Rule::Cycle)
}

fn check_dependencies(service: &Service, services: &[Service]) -> Result<(), TemplateError> {
    for on in &service.depends_on {
        let key = format!("services.{}.depends_on", service.name);
        let Some(other) = services.iter().find(|it| it.name == on.service) else {
            let rule = Rule::Undefined { kind: "service", name: on.service.clone() };
            return Err(TemplateError::compose(key, rule));
        };
        // The image may have a check too, but nobody reading the template would know.
        if on.healthy && other.healthcheck.as_ref().is_none_or(|it| it.test == ["NONE"]) {
            let rule = Rule::NoHealthcheck { service: other.name.clone() };
            return Err(TemplateError::compose(key, rule));
        }
    }
    Ok(())
}

fn check_mounts(service: &Service, volumes: &[String]) -> Result<(), TemplateError> {
    let key = format!("services.{}.volumes", service.name);
    let mut targets = BTreeSet::new();
    for mount in &service.mounts {
        if !volumes.contains(&mount.volume) {
            let rule = Rule::Undefined { kind: "volume", name: mount.volume.clone() };
            return Err(TemplateError::compose(key, rule));
        }
        if !targets.insert(mount.target.as_str()) {
            return Err(TemplateError::compose(key, Rule::MountedTwice(mount.target.clone())));
        }
    }
    Ok(())
}

/// Whether `app.toml` and the compose file fit together.
pub(crate) fn check(template: &Template) -> Result<(), TemplateError> {
    if !template.services.iter().any(|it| it.name == template.web.service) {
        let rule = Rule::Undefined { kind: "service", name: template.web.service.clone() };
        return Err(TemplateError::app("web.service", rule));
    }
    let known = template.variables();
    for service in &template.services {
        for (name, text) in &service.environment {
            let key = format!("services.{}.environment.{name}", service.name);
            check_variables(key, text, &known, |_| true)?;
        }
        // A command may be a line for a shell, which would run what a tenant wrote.
        let is_harmless = |name: &str| {
            SPACE_VARIABLES_OF_COMMAND.contains(&name) || template.secrets.contains_key(name)
        };
        for (at, text) in service.command.iter().flatten().enumerate() {
            let key = format!("services.{}.command[{at}]", service.name);
            check_variables(key, text, &known, is_harmless)?;
        }
    }
    Ok(())
}

fn check_variables(
    key: String,
    text: &str,
    known: &BTreeSet<String>,
    is_allowed: impl Fn(&str) -> bool,
) -> Result<(), TemplateError> {
    let lookup = |name: &str| {
        if !known.contains(name) {
            Err(Rule::Undefined { kind: "variable", name: name.to_owned() })
        } else if is_allowed(name) {
            Ok(String::new())
        } else {
            Err(Rule::EnvironmentOnly(name.to_owned()))
        }
    };
    let rule = match expand(text, lookup) {
        Ok(_) => return Ok(()),
        Err(ExpandError::Lookup(rule)) => rule,
        Err(ExpandError::Syntax) => Rule::Malformed(ExpandError::<Rule>::Syntax.to_string()),
    };
    Err(TemplateError::compose(key, rule))
}

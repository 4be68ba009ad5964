//! Whether what `app.toml` names is there, in it and in the compose file.

use std::collections::BTreeSet;

use crate::{
    AdminRequest, Check, FirstAdmin, MeterSource, Rule, Template, TemplateFile, errors::Errors,
    references::variables_of,
};

/// What the toml library makes of a time where JSON is wanted.
const TIME: &str = "$__toml_private_datetime";

/// Goes through all names. Without a compose file that could be read, those of services and volumes
/// are left out.
pub(crate) fn check(
    template: &Template,
    known: &BTreeSet<String>,
    has_compose: bool,
    errors: &mut Errors,
) {
    let mut names = Names { template, has_compose, errors };
    if let Some(web) = &template.web {
        names.service(&web.service, "web.service".to_owned(), Whose::Own);
    }
    names.commands(&template.ready.checks, "ready.checks", Whose::Any);
    for (name, database) in &template.databases {
        names.service(&database.service, format!("databases.{name}.service"), Whose::Any);
    }
    for (name, meter) in &template.meters {
        if let MeterSource::Sql { database, .. } = &meter.source {
            names.database(database, format!("meters.{name}.database"));
        }
    }
    for (name, signal) in &template.signals {
        names.database(&signal.database, format!("signals.{name}.database"));
    }
    if let Some(backup) = &template.backup {
        for (at, database) in backup.databases.iter().enumerate() {
            names.database(database, format!("backup.databases[{at}]"));
        }
        for (at, volume) in backup.volumes.iter().enumerate() {
            names.volume(volume, format!("backup.volumes[{at}]"));
        }
    }
    if let Some(shared) = &template.shared {
        names.commands(&shared.prepare, "shared.prepare", Whose::Shared);
        names.commands(&shared.remove, "shared.remove", Whose::Shared);
        for name in shared.services.keys() {
            if template.services.iter().any(|it| it.name == *name) {
                let rule = Rule::Malformed("is the name of a service of its own, too".to_owned());
                names.errors.app(format!("shared.services.{name}"), rule);
            }
        }
    }
    if let Some(admin) = &template.first_admin {
        check_first_admin(admin, template, known, errors);
    }
}

/// Whose services are meant.
#[derive(Clone, Copy)]
enum Whose {
    /// Those of the compose file.
    Own,
    /// Those of the host.
    Shared,
    Any,
}

struct Names<'a> {
    template: &'a Template,
    has_compose: bool,
    errors: &'a mut Errors,
}

impl Names<'_> {
    fn commands(&mut self, commands: &[Check], key: &str, whose: Whose) {
        for (at, check) in commands.iter().enumerate() {
            self.service(&check.service, format!("{key}[{at}].service"), whose);
        }
    }

    fn service(&mut self, name: &str, key: String, whose: Whose) {
        let is_own = || self.template.services.iter().any(|it| it.name == name);
        let is_shared =
            || self.template.shared.as_ref().is_some_and(|it| it.services.contains_key(name));
        let is_unknown = !self.has_compose && matches!(whose, Whose::Own | Whose::Any);
        let is_there = match whose {
            Whose::Own => is_own(),
            Whose::Shared => is_shared(),
            Whose::Any => is_own() || is_shared(),
        };
        let is_broken =
            self.errors.is_broken(TemplateFile::App, "shared") && self.template.shared.is_none();
        if !is_there && !is_unknown && !is_broken {
            self.errors.app(key, Rule::Undefined { kind: "service", name: name.to_owned() });
        }
    }

    fn database(&mut self, name: &str, key: String) {
        let is_there = self.template.databases.contains_key(name);
        if !is_there && !self.errors.is_broken(TemplateFile::App, &format!("databases.{name}")) {
            self.errors.app(key, Rule::Undefined { kind: "database", name: name.to_owned() });
        }
    }

    fn volume(&mut self, name: &str, key: String) {
        if self.has_compose && !self.template.volumes.iter().any(|it| it == name) {
            self.errors.app(key, Rule::Undefined { kind: "volume", name: name.to_owned() });
        }
    }
}

fn check_first_admin(
    admin: &FirstAdmin,
    template: &Template,
    known: &BTreeSet<String>,
    errors: &mut Errors,
) {
    let name = &admin.password;
    let is_there = template.secrets.contains_key(name);
    if !is_there && !errors.is_broken(TemplateFile::App, &format!("secrets.{name}")) {
        let rule = Rule::Undefined { kind: "secret", name: name.clone() };
        errors.app("first_admin.password", rule);
    }
    let key = "first_admin.username";
    check_text(&admin.username, key, known, errors);
    errors.check(!admin.username.trim().is_empty(), key, "what the owner logs in with");
    for (AdminRequest { json, .. }, key) in
        [(&admin.create, "first_admin.create.json"), (&admin.verify, "first_admin.verify.json")]
    {
        check_json(json, key, known, errors);
    }
}

/// The strings of `json` may have variables, but not those of the operator, which are for containers.
fn check_json(json: &serde_json::Value, key: &str, known: &BTreeSet<String>, errors: &mut Errors) {
    use serde_json::Value;
    match json {
        Value::String(text) => check_text(text, key, known, errors),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                check_json(item, &format!("{key}[{at}]"), known, errors);
            }
        }
        Value::Object(members) if members.contains_key(TIME) => {
            errors.app(key, Rule::OutOfRange("a string: JSON has no times"));
        }
        Value::Object(members) => {
            for (name, member) in members {
                check_json(member, &format!("{key}.{name}"), known, errors);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_text(text: &str, key: &str, known: &BTreeSet<String>, errors: &mut Errors) {
    let is_allowed = |name: &str| !name.starts_with("OPERATOR_");
    match variables_of(text, known, is_allowed) {
        Ok(()) => {}
        Err(Rule::EnvironmentOnly(name)) => {
            let rule = Rule::Malformed(format!("{name} is for the environment of services only"));
            errors.app(key, rule);
        }
        Err(rule) => errors.app(key, rule),
    }
}

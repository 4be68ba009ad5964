//! Services of the host: templates of kind `shared`, and apps that use them.

use apps::{Check, Kind, Shared};

use crate::{COMPOSE, errors, parse, with};

const STACK: &str = r#"title = "Postgres"
description = "One server for all spaces of a host."
version = "17"
kind = "shared"
[ready]
timeout_seconds = 60
[secrets]
DB_PASSWORD = { bytes = 24 }
[disk]
mib = 512
"#;

/// `COMPOSE` without its database, which is the host's.
pub(crate) const APP_COMPOSE: &str = "services:
  web:
    image: example/web:1
    mem_limit: 64m
    environment:
      TITLE: ${SPACE_TITLE}
";

pub(crate) const APP: &str = r#"title = "Notes"
description = "Notes of a group."
version = "1"
web = { service = "web", port = 8080 }
disk = { mib = 512 }
[ready]
path = "/ready"
timeout_seconds = 60
[[ready.checks]]
service = "postgres"
command = ["pg_isready"]
[databases.main]
service = "postgres"
user = "${SPACE_ID}"
name = "${SPACE_ID}"
[shared]
stack = "notes-services"
services = { postgres = "db" }
[[shared.prepare]]
service = "postgres"
command = ["sh", "-c", "createdb \"$SPACE_ID\""]
[[shared.remove]]
service = "postgres"
command = ["sh", "-c", "dropdb \"$SPACE_ID\""]
"#;

fn compose() -> String {
    with(COMPOSE, "${SPACE_TITLE}", "x")
}

#[test]
fn a_template_of_services_that_spaces_share_has_no_web() {
    let template = parse(&compose(), STACK).unwrap();
    assert_eq!(
        (template.kind, template.web, template.ready.path.as_str()),
        (Kind::Shared, None, "")
    );
}

#[test]
fn a_template_of_services_that_spaces_share_has_nothing_of_an_app() {
    let rows = [
        ("[disk]", "[web]\nservice = \"web\"\nport = 80\n[disk]", "9: web"),
        ("timeout_seconds", "path = \"/\"\ntimeout_seconds", "6: ready.path"),
        ("[disk]", "[settings.theme]\ntype = \"string\"\n[disk]", "9: settings"),
        ("[disk]", "[meters.a]\nunit = \"x\"\npath = \"/\"\n[disk]", "9: meters"),
        ("[disk]", "[signals.a]\nmeans = \"due\"\n[disk]", "9: signals"),
        ("[disk]", "[first_admin]\nusername = \"x\"\n[disk]", "9: first_admin"),
        ("[disk]", "[shared]\nstack = \"x\"\n[disk]", "9: shared"),
    ];
    for (from, to, place) in rows {
        let want = format!(
            "app.toml:{place}: not supported: services that spaces share have no visitors, tenant \
             or space"
        );
        assert_eq!(errors(&compose(), &with(STACK, from, to)), want, "{to}");
    }
}

#[test]
fn an_app_says_which_services_of_the_host_it_uses() {
    let template = parse(APP_COMPOSE, APP).unwrap();
    let command = |line: &str| Check {
        service: "postgres".into(),
        command: vec!["sh".into(), "-c".into(), line.into()],
    };
    let shared = Shared {
        stack: "notes-services".into(),
        services: [("postgres".into(), "db".into())].into(),
        prepare: vec![command("createdb \"$SPACE_ID\"")],
        remove: vec![command("dropdb \"$SPACE_ID\"")],
    };
    assert_eq!(template.shared, Some(shared));
}

#[test]
fn every_rule_on_services_of_the_host() {
    let no_variable = "must be without ${…}: the values of a space are environment variables there";
    let rows = [
        ("\"notes-services\"", "\"../notes\"", "17: shared.stack: must be the name of a template's folder".to_owned()),
        ("\"notes-services\"", "\"\"", "17: shared.stack: must be the name of a template's folder".into()),
        ("{ postgres = \"db\" }", "{ web = \"db\", postgres = \"db\" }", "18: shared.services.web: is the name of a service of its own, too".into()),
        ("{ postgres = \"db\" }", "{ Pg = \"db\", postgres = \"db\" }", "18: shared.services.Pg: a name has a-z, 0-9, '-' and '_', begins with a letter and has at most 40 characters".into()),
        ("\"postgres\"\ncommand = [\"pg", "\"db\"\ncommand = [\"pg", "10: ready.checks[0].service: there is no service db".into()),
        ("\"postgres\"\nuser", "\"db\"\nuser", "13: databases.main.service: there is no service db".into()),
        ("\"postgres\"\ncommand = [\"sh\"", "\"web\"\ncommand = [\"sh\"", "20: shared.prepare[0].service: there is no service web".into()),
        ("createdb \\\"$SPACE_ID\\\"", "createdb ${SPACE_ID}", format!("21: shared.prepare[0].command: {no_variable}")),
        ("dropdb \\\"$SPACE_ID\\\"", "dropdb ${SPACE_ID}", format!("24: shared.remove[0].command: {no_variable}")),
        ("stack = \"notes-services\"\n", "", "16: shared.stack: required".into()),
        ("[shared]", "[shared]\nextra = 1", "17: shared.extra: not supported".into()),
    ];
    for (from, to, want) in rows {
        assert_eq!(errors(APP_COMPOSE, &with(APP, from, to)), format!("app.toml:{want}"), "{to}");
    }
}

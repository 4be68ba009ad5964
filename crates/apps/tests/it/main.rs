//! What makes a template, and what is refused, with the words an author reads.
//!
//! Method: one small template that is right; each row changes it in one place.

#![expect(clippy::unwrap_used, reason = "a test fails that way")]

mod all_errors;
mod app_toml;
mod compose;
mod compose_values;
mod data;
mod folders;
mod refusals;
mod shared;

use apps::Template;

pub(crate) const COMPOSE: &str = "services:
  web:
    image: example/web:1
    mem_limit: 64m
    environment:
      TITLE: ${SPACE_TITLE}
    depends_on: [db]
  db:
    image: example/db:1
    mem_limit: 1g
    volumes:
      - data:/data
volumes:
  data:
";

pub(crate) const APP: &str = r#"title = "Notes"
description = "Notes of a group."
version = "1"
web = { service = "web", port = 8080 }
ready = { path = "/ready", timeout_seconds = 60 }
disk = { mib = 512 }
[secrets]
DB_PASSWORD = { bytes = 24 }
[settings.theme]
type = "string"
enum = ["light", "dark"]
default = "light"
"#;

fn parse(compose: &str, app: &str) -> Result<Template, String> {
    Template::parse("notes", compose, app).map_err(|error| error.to_string())
}

/// All errors, one a line.
fn errors(compose: &str, app: &str) -> String {
    match Template::check("notes", compose, app) {
        Ok(_) => String::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

/// The template with `addition` among the keys of the service `db`, in line 11 and after.
fn with_db(addition: &str) -> Result<Template, String> {
    parse(&compose_with_db(addition), APP)
}

fn compose_with_db(addition: &str) -> String {
    COMPOSE.replace("    mem_limit: 1g\n", &format!("    mem_limit: 1g\n{addition}\n"))
}

/// `text` with one part replaced, which has to be there.
#[track_caller]
fn with(text: &str, from: &str, to: &str) -> String {
    let changed = text.replacen(from, to, 1);
    assert_ne!(changed, text, "{from}");
    changed
}

//! What an `app.toml` says, and every rule of it.

use std::collections::BTreeMap;

use apps::{
    AdminRequest, Backup, Check, Database, FirstAdmin, Kind, Means, Meter, MeterSource,
    OperatorValue, Signal, Web,
};
use serde_json::json;

use crate::{APP, COMPOSE, errors, parse, with};

/// One of everything that an app can have, but for services of the host.
pub(crate) const FULL: &str = r#"title = "Notes"
description = "Notes of a group."
version = "1.2"
[web]
service = "web"
port = 8080
[ready]
path = "/ready"
timeout_seconds = 60
[[ready.checks]]
service = "db"
command = ["pg_isready", "-q"]
[secrets]
DB_PASSWORD = { bytes = 24 }
ADMIN_PASSWORD = { bytes = 16 }
[operator]
SMTP_HOST = { description = "Mail.", default = "" }
[disk]
mib = 512
[databases.main]
service = "db"
user = "notes"
name = "${SPACE_ID}-notes"
[meters.posts]
unit = "post"
database = "main"
sql = "SELECT count(*) FROM post WHERE at >= $1 AND at < $2"
[meters.traffic]
unit = "MiB"
path = "/usage"
[signals.next_post]
means = "due"
database = "main"
sql = "SELECT min(at) FROM post"
[signals.uploads]
means = "busy"
database = "main"
sql = "SELECT count(*) FROM upload"
[backup]
schedule = "0 3 * * *"
databases = ["main"]
volumes = ["data"]
[first_admin]
username = "admin@${SPACE_HOST}"
password = "${ADMIN_PASSWORD}"
[first_admin.create]
path = "/register"
json = { email = "admin@${SPACE_HOST}", tags = ["${SPACE_TITLE}", 1] }
[first_admin.verify]
path = "/login"
json = { email = "admin@${SPACE_HOST}", password = "${ADMIN_PASSWORD}" }
"#;

#[test]
fn an_app_toml_says_all_that_a_compose_file_cannot() {
    let template = parse(COMPOSE, FULL).unwrap();
    let text = str::to_owned;
    assert_eq!((template.version.as_str(), template.kind), ("1.2", Kind::App));
    assert_eq!(template.web, Some(Web { service: text("web"), port: 8080 }));
    let check = Check { service: text("db"), command: vec![text("pg_isready"), text("-q")] };
    assert_eq!(template.ready.checks, [check]);
    let smtp = OperatorValue { description: text("Mail."), default: String::new() };
    assert_eq!(template.operator, BTreeMap::from([(text("SMTP_HOST"), smtp)]));
    let main =
        Database { service: text("db"), user: text("notes"), name: text("${SPACE_ID}-notes") };
    assert_eq!(template.databases, BTreeMap::from([(text("main"), main)]));
    let sql = text("SELECT count(*) FROM post WHERE at >= $1 AND at < $2");
    let source = MeterSource::Sql { database: text("main"), sql };
    assert_eq!(template.meters["posts"], Meter { unit: text("post"), source });
    let source = MeterSource::Http { path: text("/usage") };
    assert_eq!(template.meters["traffic"], Meter { unit: text("MiB"), source });
    let signal = |sql: &str, means| Signal { database: text("main"), sql: text(sql), means };
    let due = signal("SELECT min(at) FROM post", Means::Due);
    let busy = signal("SELECT count(*) FROM upload", Means::Busy);
    assert_eq!((&template.signals["next_post"], &template.signals["uploads"]), (&due, &busy));
    let backup = Backup {
        schedule: text("0 3 * * *"),
        databases: vec![text("main")],
        volumes: vec![text("data")],
    };
    assert_eq!(template.backup, Some(backup));
    let first_admin = FirstAdmin {
        username: text("admin@${SPACE_HOST}"),
        password: text("ADMIN_PASSWORD"),
        create: AdminRequest {
            path: text("/register"),
            json: json!({ "email": "admin@${SPACE_HOST}", "tags": ["${SPACE_TITLE}", 1] }),
        },
        verify: AdminRequest {
            path: text("/login"),
            json: json!({ "email": "admin@${SPACE_HOST}", "password": "${ADMIN_PASSWORD}" }),
        },
    };
    assert_eq!(template.first_admin, Some(first_admin));
    assert_eq!(template.shared, None);
    let variables = template.variables().into_iter().collect::<Vec<_>>().join(" ");
    let want = "ADMIN_PASSWORD DB_PASSWORD OPERATOR_SMTP_HOST SPACE_HOST SPACE_ID SPACE_NAME \
                SPACE_TITLE SPACE_URL";
    assert_eq!(variables, want);
}

#[test]
fn a_release_is_the_two_files_and_nothing_else() {
    let release = |compose: &str, app: &str| parse(compose, app).unwrap().release;
    let one = release(COMPOSE, APP);
    assert_eq!(one, release(COMPOSE, APP));
    assert_eq!(one.len(), 32);
    assert!(one.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')), "{one}");
    assert_ne!(one, release(&format!("{COMPOSE}\n"), APP));
    assert_ne!(one, release(COMPOSE, &format!("{APP}\n")));
    let template = parse(COMPOSE, APP).unwrap();
    assert_eq!(template.source.compose_yaml, COMPOSE);
    assert_eq!(template.source.app_toml, APP);
}

#[test]
fn every_rule_of_the_first_part() {
    let range = "from 1 to 3600";
    let path = "must be a path of visible ASCII that begins with '/'";
    let secret = "must be named with A-Z, 0-9 and '_', and not like a variable of the space or a \
                  setting";
    let version = "must be 1 to 40 visible ASCII characters";
    let long = format!("version = \"{}\"", "1".repeat(41));
    let rows = [
        ("title = \"Notes\"", "title = \" \"", "1: title: must be a sentence, not nothing".into()),
        ("title = \"Notes\"\n", "", "1: title: required".into()),
        ("\"Notes of a group.\"", "5", "2: description: invalid type: integer `5`, expected a string".into()),
        ("version = \"1\"\n", "", "1: version: required".into()),
        ("version = \"1\"", "version = \"\"", format!("3: version: {version}")),
        ("version = \"1\"", "version = \"a b\"", format!("3: version: {version}")),
        ("version = \"1\"", "version = \"é\"", format!("3: version: {version}")),
        ("version = \"1\"", &long, format!("3: version: {version}")),
        ("version", "kind = \"lib\"\nversion", "3: kind: unknown variant `lib`, expected `app` or `shared`".into()),
        ("version", "versions = 1\nversion", "3: versions: not supported".into()),
        ("web = { service = \"web\", port = 8080 }\n", "", "1: web: required".into()),
        ("service = \"web\"", "service = \"www\"", "4: web.service: there is no service www".into()),
        ("service = \"web\", ", "", "4: web.service: required".into()),
        ("port = 8080", "port = 0", "4: web.port: must be from 1 to 65535".into()),
        ("port = 8080", "port = 65536", "4: web.port: invalid value: integer `65536`, expected u16".into()),
        ("port = 8080", "port = 8080, host = \"x\"", "4: web.host: not supported".into()),
        ("path = \"/ready\", ", "", "5: ready.path: required".into()),
        ("\"/ready\"", "\"ready\"", format!("5: ready.path: {path}")),
        ("\"/ready\"", "\"/a b\"", format!("5: ready.path: {path}")),
        ("\"/ready\"", "\"/a\\u0000b\"", format!("5: ready.path: {path}")),
        ("_seconds = 60", "_seconds = 0", format!("5: ready.timeout_seconds: must be {range}")),
        ("_seconds = 60", "_seconds = 3601", format!("5: ready.timeout_seconds: must be {range}")),
        ("mib = 512", "mib = 0", "6: disk.mib: must be at least 1".into()),
        ("disk = { mib = 512 }\n", "", "1: disk: required".into()),
        ("bytes = 24", "bytes = 15", "8: secrets.DB_PASSWORD.bytes: must be from 16 to 64".into()),
        ("bytes = 24", "bytes = 65", "8: secrets.DB_PASSWORD.bytes: must be from 16 to 64".into()),
        ("DB_PASSWORD", "SPACE_NAME", format!("8: secrets.SPACE_NAME: {secret}")),
        ("DB_PASSWORD", "SPACE_ID", format!("8: secrets.SPACE_ID: {secret}")),
        ("DB_PASSWORD", "SETTING_X", format!("8: secrets.SETTING_X: {secret}")),
        ("DB_PASSWORD", "OPERATOR_X", format!("8: secrets.OPERATOR_X: {secret}")),
        ("DB_PASSWORD", "db", format!("8: secrets.db: {secret}")),
        ("default = \"light\"", "default = \"red\"", "12: settings.theme.default: must be one of: light, dark".into()),
        ("default = \"light\"", "default = 5", "12: settings.theme.default: must be a string".into()),
        ("default = \"light\"", "default = \"light\"\nrequired = true", "9: settings.theme: a setting is either required or has a default".into()),
        ("default = \"light\"", "minimum = 1", "9: settings.theme: minimum is not for settings of type string".into()),
        ("default = \"light\"", "pattern = \"x\"", "12: settings.theme.pattern: not supported".into()),
        ("settings.theme", "settings.\"a b\"", "9: settings.a b: a key has a-z, 0-9 and '_', begins with a letter and has at most 40 characters".into()),
        ("title = ", "[secrets]\nDB_PASSWORD = { bytes = 24 }\n[x", "3: ".into()),
    ];
    for (from, to, start) in rows {
        let error = errors(COMPOSE, &with(APP, from, to));
        if start.ends_with(' ') {
            assert!(error.starts_with(&format!("app.toml:{start}")), "{to}: {error}");
        } else {
            assert_eq!(error, format!("app.toml:{start}"), "{to}");
        }
    }
}

#[test]
fn every_rule_of_the_second_part() {
    let no_variable = "must be without ${…}: the values of a space are environment variables there";
    let nul = "has a NUL, which no environment and no argument can carry";
    let name = "must be a name of letters, digits, '_', '-' and '.', of at most 63 bytes, with no \
                variable but ${SPACE_ID}";
    let key =
        "a name has a-z, 0-9, '-' and '_', begins with a letter and has at most 40 characters";
    let path = "must be a path of visible ASCII that begins with '/'";
    let either = "has either database and sql, or path";
    let sql = "sql = \"SELECT min(at) FROM post\"";
    let long = format!("\"{}\"", "n".repeat(64));
    let password = "must be exactly one secret: \"${ADMIN_PASSWORD}\"";
    let rows = [
        ("\"db\"\ncommand", "\"cache\"\ncommand", "11: ready.checks[0].service: there is no service cache".into()),
        ("\"-q\"]", "\"${DB_PASSWORD}\"]", format!("12: ready.checks[0].command: {no_variable}")),
        ("\"-q\"]", "\"a\\u0000b\"]", format!("12: ready.checks[0].command: {nul}")),
        ("[\"pg_isready\", \"-q\"]", "[]", "12: ready.checks[0].command: must be a program and its arguments".into()),
        ("[\"pg_isready\", \"-q\"]", "\"pg_isready\"", "12: ready.checks[0].command: invalid type: string \"pg_isready\", expected a sequence".into()),
        ("SMTP_HOST", "smtp", "17: operator.smtp: must be named with A-Z, 0-9 and '_'".into()),
        ("default = \"\"", "default = \"\\u0000\"", format!("17: operator.SMTP_HOST.default: {nul}")),
        (", default = \"\"", "", "17: operator.SMTP_HOST.default: required".into()),
        ("\"db\"\nuser", "\"cache\"\nuser", "21: databases.main.service: there is no service cache".into()),
        ("user = \"notes\"", "user = \"${SPACE_NAME}\"", format!("22: databases.main.user: {name}")),
        ("user = \"notes\"", "user = \"${DB_PASSWORD}\"", format!("22: databases.main.user: {name}")),
        ("user = \"notes\"", "user = \"\"", format!("22: databases.main.user: {name}")),
        ("user = \"notes\"", "user = \"-c\"", format!("22: databases.main.user: {name}")),
        ("\"${SPACE_ID}-notes\"", "\"host=example.org\"", format!("23: databases.main.name: {name}")),
        ("\"${SPACE_ID}-notes\"", "\"postgres://example.org\"", format!("23: databases.main.name: {name}")),
        ("\"${SPACE_ID}-notes\"", "\"a\\nb\"", format!("23: databases.main.name: {name}")),
        ("\"${SPACE_ID}-notes\"", &long, format!("23: databases.main.name: {name}")),
        ("databases.main", "databases.Main", format!("20: databases.Main: {key}\n26: meters.posts.database: there is no database main\n33: signals.next_post.database: there is no database main\n37: signals.uploads.database: there is no database main\n41: backup.databases[0]: there is no database main")),
        ("meters.posts", "meters.\"a b\"", format!("24: meters.a b: {key}")),
        ("unit = \"post\"", "unit = \"\"", "25: meters.posts.unit: must be what one of it is called".into()),
        ("\"main\"\nsql = \"SELECT count", "\"other\"\nsql = \"SELECT count", "26: meters.posts.database: there is no database other".into()),
        ("database = \"main\"\nsql", "sql", format!("24: meters.posts: {either}")),
        ("path = \"/usage\"", "path = \"/usage\"\ndatabase = \"main\"", format!("28: meters.traffic: {either}")),
        ("path = \"/usage\"\n", "", format!("28: meters.traffic: {either}")),
        ("\"/usage\"", "\"usage\"", format!("30: meters.traffic.path: {path}")),
        ("\"/usage\"", "\"/usage?a=b\"", "30: meters.traffic.path: must be a path without '?' and '#'".into()),
        ("AND at < $2", "", "27: meters.posts.sql: must have the parameters $1 and $2".into()),
        ("AND at < $2", "AND at < $3", "27: meters.posts.sql: must have the parameters $1 and $2".into()),
        ("SELECT count(*) FROM post", "DELETE FROM post", "27: meters.posts.sql: must be a SELECT".into()),
        ("at < $2\"", "at < $2; SELECT 1\"", "27: meters.posts.sql: must be one statement".into()),
        ("signals.next_post", "signals.Next", format!("31: signals.Next: {key}")),
        ("\"due\"", "\"late\"", "32: signals.next_post.means: unknown variant `late`, expected `due` or `busy`".into()),
        ("\"main\"\nsql = \"SELECT min", "\"other\"\nsql = \"SELECT min", "33: signals.next_post.database: there is no database other".into()),
        (sql, "sql = \"SELECT min(at) FROM post WHERE at >= $1\"", "34: signals.next_post.sql: must have no parameters".into()),
        (sql, "sql = \"\"", "34: signals.next_post.sql: must be one statement".into()),
        (sql, "sql = \"SELECT 1; DROP TABLE post\"", "34: signals.next_post.sql: must be one statement".into()),
        (sql, "sql = \"SELECT 1 INTO other\"", "34: signals.next_post.sql: must only read, without INTO".into()),
        (sql, "sql = '''\nSELECT min(at)\nFORM post'''", "34: signals.next_post.sql: is no SQL, in its line 2: Expected: end of statement, found: post".into()),
        ("\"0 3 * * *\"", "\"0 3 * *\"", "40: backup.schedule: cron has five fields: minute, hour, day, month, weekday".into()),
        ("\"0 3 * * *\"", "\"0 0 30 2 *\"", "40: backup.schedule: never comes".into()),
        ("[\"main\"]", "[\n  \"main\",\n  \"other\",\n]", "43: backup.databases[1]: there is no database other".into()),
        ("[\"data\"]", "[\"uploads\"]", "42: backup.volumes[0]: there is no volume uploads".into()),
        ("username = \"admin@${SPACE_HOST}\"", "username = \"${NOBODY}\"", "44: first_admin.username: there is no variable NOBODY".into()),
        ("username = \"admin@${SPACE_HOST}\"", "username = \"${OPERATOR_SMTP_HOST}\"", "44: first_admin.username: OPERATOR_SMTP_HOST is for the environment of services only".into()),
        ("username = \"admin@${SPACE_HOST}\"", "username = \"\"", "44: first_admin.username: must be what the owner logs in with".into()),
        ("password = \"${ADMIN_PASSWORD}\"\n", "password = \"secret\"\n", format!("45: first_admin.password: {password}")),
        ("password = \"${ADMIN_PASSWORD}\"\n", "password = \"a${ADMIN_PASSWORD}\"\n", format!("45: first_admin.password: {password}")),
        ("password = \"${ADMIN_PASSWORD}\"\n", "password = \"${A}${B}\"\n", format!("45: first_admin.password: {password}")),
        ("password = \"${ADMIN_PASSWORD}\"\n", "password = \"${SPACE_NAME}\"\n", "45: first_admin.password: there is no secret SPACE_NAME".into()),
        ("\"/register\"", "\"register\"", format!("47: first_admin.create.path: {path}")),
        ("\"${SPACE_TITLE}\", 1", "\"${SPACE_TITEL}\", 1", "48: first_admin.create.json.tags[0]: there is no variable SPACE_TITEL".into()),
        ("\"${SPACE_TITLE}\", 1", "\"${OPERATOR_SMTP_HOST}\"", "48: first_admin.create.json.tags[0]: OPERATOR_SMTP_HOST is for the environment of services only".into()),
        ("\"${SPACE_TITLE}\", 1", "\"$(id)\"", "48: first_admin.create.json.tags[0]: a '$' is written as '$$', and a variable as ${NAME} or ${NAME:-default}".into()),
        ("\"${SPACE_TITLE}\", 1", "2026-01-01", "48: first_admin.create.json.tags[0]: must be a string: JSON has no times".into()),
        ("path = \"/login\"\n", "", "49: first_admin.verify.path: required".into()),
        ("path = \"/login\"\n", "path = \"/login\"\nmethod = \"PUT\"\n", "51: first_admin.verify.method: not supported".into()),
    ];
    for (from, to, error) in rows {
        let want: Vec<_> = error.lines().map(|it| format!("app.toml:{it}")).collect();
        assert_eq!(errors(COMPOSE, &with(FULL, from, to)), want.join("\n"), "{to}");
    }
}

#[test]
fn what_the_operator_sets_is_for_the_environment_only() {
    let compose = with(COMPOSE, "${SPACE_TITLE}", "${OPERATOR_SMTP_HOST}");
    assert!(parse(&compose, FULL).is_ok());
    let compose =
        with(COMPOSE, "mem_limit: 64m", "mem_limit: 64m\n    command: ['${OPERATOR_SMTP_HOST}']");
    let want = "compose.yaml:5: services.web.command[0]: OPERATOR_SMTP_HOST is for environment \
                only, since a command may be a shell's";
    assert_eq!(errors(&compose, FULL), want);
}

//! What each value of an `app.toml` may be.

use crate::{
    Check, Database, Kind, Meter, MeterSource, Rule, SPACE_VARIABLES, Secret, Shared, TemplateFile,
    errors::Errors,
    interpolate::{NUL, expand, is_name},
    manifest::Manifest,
    read::is_id,
    schedule,
    sections::Sections,
    sql,
    text::is_name as is_service_name,
};

/// Longest version, in characters.
const VERSION_LEN_MAX: usize = 40;
/// Fewest random bytes of a secret: 128 bits.
const SECRET_BYTES_MIN: u16 = 16;
/// Most random bytes of a secret.
const SECRET_BYTES_MAX: u16 = 64;
/// Longest time to wait for a space: an hour.
const TIMEOUT_SECONDS_MAX: u32 = 3600;
/// Longest name of a role or a database in Postgres, in bytes.
const SQL_NAME_BYTES_MAX: usize = 63;
/// As long as the id of a space is.
const SPACE_ID: &str = "spc-00000000000000000000000000";

const PATH: &str = "a path of visible ASCII that begins with '/'";
const NAME: &str = "a name has a-z, 0-9, '-' and '_', begins with a letter and has at most 40 \
                    characters";

/// Refuses what a template of services that spaces share can't have, and forgets it.
pub(crate) fn refuse_what_is_an_apps(in_ready: &[String], file: &mut Sections<'_>) {
    let why = "services that spaces share have no visitors, tenant or space";
    let sections = ["web", "settings", "meters", "signals", "first_admin", "shared"];
    for key in sections.into_iter().filter(|it| file.has(it)).collect::<Vec<_>>() {
        file.errors.app(key, Rule::NotSupported { why });
        file.forget(key);
    }
    if in_ready.iter().any(|it| it == "path") {
        file.errors.app("ready.path", Rule::NotSupported { why });
    }
}

/// Each value by itself. What is not there or could not be read has its error already.
pub(crate) fn check(manifest: &Manifest, errors: &mut Errors) {
    check_words(manifest, errors);
    check_ready(manifest, errors);
    errors.check(manifest.disk_mib != 0, "disk.mib", "at least 1");
    if let Some(web) = &manifest.web {
        errors.check(web.port != 0, "web.port", "from 1 to 65535");
    }
    for (name, secret) in &manifest.secrets {
        check_secret(name, *secret, errors);
    }
    for (name, value) in &manifest.operator {
        let key = format!("operator.{name}");
        errors.check(is_upper(name), key.clone(), "named with A-Z, 0-9 and '_'");
        check_no_nul(&value.default, format!("{key}.default"), errors);
    }
    for (name, database) in &manifest.databases {
        check_database(name, database, errors);
    }
    for (name, meter) in &manifest.meters {
        check_meter(name, meter, errors);
    }
    for (name, signal) in &manifest.signals {
        check_name(name, format!("signals.{name}"), errors);
        check_sql(&signal.sql, &[], format!("signals.{name}.sql"), errors);
    }
    if let Some(backup) = &manifest.backup
        && let Err(error) = schedule::check(&backup.schedule)
    {
        errors.app("backup.schedule", Rule::Malformed(error));
    }
    if let Some(admin) = &manifest.first_admin {
        check_path(&admin.create.path, "first_admin.create.path", errors);
        check_path(&admin.verify.path, "first_admin.verify.path", errors);
    }
    if let Some(shared) = &manifest.shared {
        check_shared(shared, errors);
    }
}

fn check_words(manifest: &Manifest, errors: &mut Errors) {
    for (key, text) in [("title", &manifest.title), ("description", &manifest.description)] {
        if !errors.is_broken(TemplateFile::App, key) {
            errors.check(!text.trim().is_empty(), key, "a sentence, not nothing");
        }
    }
    if !errors.is_broken(TemplateFile::App, "version") {
        let version = &manifest.version;
        let is_version = (1..=VERSION_LEN_MAX).contains(&version.len())
            && version.bytes().all(|it| it.is_ascii_graphic());
        errors.check(is_version, "version", "1 to 40 visible ASCII characters");
    }
}

fn check_ready(manifest: &Manifest, errors: &mut Errors) {
    if errors.is_broken(TemplateFile::App, "ready") && manifest.ready.timeout_seconds == 0 {
        return;
    }
    let ready = &manifest.ready;
    let is_short = (1..=TIMEOUT_SECONDS_MAX).contains(&ready.timeout_seconds);
    errors.check(is_short, "ready.timeout_seconds", "from 1 to 3600");
    if manifest.kind == Kind::App && !errors.is_broken(TemplateFile::App, "ready.path") {
        check_path(&ready.path, "ready.path", errors);
    }
    check_commands(&ready.checks, "ready.checks", errors);
}

/// Commands have no variables: their values would become a part of what a shell reads.
fn check_commands(commands: &[Check], key: &str, errors: &mut Errors) {
    for (at, check) in commands.iter().enumerate() {
        let key = format!("{key}[{at}].command");
        let is_empty = check.command.first().is_none_or(String::is_empty);
        errors.check(!is_empty, key.clone(), "a program and its arguments");
        for text in &check.command {
            let has_variable = text.contains("${");
            let form = "without ${…}: the values of a space are environment variables there";
            errors.check(!has_variable, key.clone(), form);
            check_no_nul(text, key.clone(), errors);
        }
    }
}

fn check_secret(name: &str, secret: Secret, errors: &mut Errors) {
    let key = format!("secrets.{name}");
    // One name, one meaning: a secret must not hide what the space or a setting is called.
    let is_taken = SPACE_VARIABLES.contains(&name)
        || ["SETTING_", "OPERATOR_"].iter().any(|it| name.starts_with(it));
    let form = "named with A-Z, 0-9 and '_', and not like a variable of the space or a setting";
    errors.check(is_upper(name) && !is_taken, key.clone(), form);
    let is_long = (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&secret.bytes);
    errors.check(is_long, format!("{key}.bytes"), "from 16 to 64");
}

fn check_database(name: &str, database: &Database, errors: &mut Errors) {
    let key = format!("databases.{name}");
    check_name(name, key.clone(), errors);
    for (field, text) in [("user", &database.user), ("name", &database.name)] {
        // psql takes a name with '=' or "://" for a whole connection string, and '-' for an option.
        let whole =
            expand(text, |it| if it == "SPACE_ID" { Ok(SPACE_ID.to_owned()) } else { Err("") });
        let is_name = whole.is_ok_and(|it| {
            it.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '_')
                && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"_-.".contains(&it))
                && it.len() <= SQL_NAME_BYTES_MAX
        });
        let form = "a name of letters, digits, '_', '-' and '.', of at most 63 bytes, with no \
                    variable but ${SPACE_ID}";
        errors.check(is_name, format!("{key}.{field}"), form);
    }
}

fn check_meter(name: &str, meter: &Meter, errors: &mut Errors) {
    let key = format!("meters.{name}");
    check_name(name, key.clone(), errors);
    let is_unit = !meter.unit.trim().is_empty() && !meter.unit.contains(char::is_control);
    errors.check(is_unit, format!("{key}.unit"), "what one of it is called");
    match &meter.source {
        MeterSource::Http { path } => {
            check_path(path, &format!("{key}.path"), errors);
            // What is asked for is put behind it.
            let is_bare = !path.contains(['?', '#']);
            errors.check(is_bare, format!("{key}.path"), "a path without '?' and '#'");
        }
        MeterSource::Sql { sql, .. } => {
            check_sql(sql, &["$1", "$2"], format!("{key}.sql"), errors);
        }
    }
}

fn check_sql(text: &str, parameters: &[&str], key: String, errors: &mut Errors) {
    if let Err(error) = sql::check(text, parameters) {
        errors.app(key, Rule::Malformed(error));
    }
}

fn check_shared(shared: &Shared, errors: &mut Errors) {
    errors.check(is_id(&shared.stack), "shared.stack", "the name of a template's folder");
    errors.check(!shared.services.is_empty(), "shared.services", "at least one service");
    for name in shared.services.keys().filter(|it| !is_service_name(it)) {
        errors.app(format!("shared.services.{name}"), Rule::Malformed(NAME.to_owned()));
    }
    check_commands(&shared.prepare, "shared.prepare", errors);
    check_commands(&shared.remove, "shared.remove", errors);
}

fn check_path(path: &str, key: &str, errors: &mut Errors) {
    let is_path = path.starts_with('/') && path.bytes().all(|it| it.is_ascii_graphic());
    errors.check(is_path, key, PATH);
}

fn check_name(name: &str, key: String, errors: &mut Errors) {
    if !is_service_name(name) {
        errors.app(key, Rule::Malformed(NAME.to_owned()));
    }
}

fn check_no_nul(text: &str, key: String, errors: &mut Errors) {
    if text.contains('\0') {
        errors.app(key, Rule::Malformed(NUL.to_owned()));
    }
}

fn is_upper(name: &str) -> bool {
    is_name(name) && !name.contains(|it: char| it.is_ascii_lowercase())
}

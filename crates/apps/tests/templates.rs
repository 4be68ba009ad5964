//! What makes a template, and what is refused, with the words an author reads.
//!
//! Method: one small template that is right; each row changes it in one place.

use std::{collections::BTreeMap, fs, path::Path};

use apps::{DependsOn, Healthcheck, Mount, ReadError, RenderError, Template};

const COMPOSE: &str = "services:
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

const APP: &str = r#"title = "Notes"
description = "Notes of a group."
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

/// The template with `addition` among the keys of the service `db`.
fn with_db(addition: &str) -> Result<Template, String> {
    parse(&COMPOSE.replace("    mem_limit: 1g\n", &format!("    mem_limit: 1g\n{addition}\n")), APP)
}

#[test]
fn a_template_says_all_that_a_worker_needs() {
    let template = with_db(
        r#"    entrypoint: /start --quiet 'two words'
    command: ["serve", "--price", "5$$", "${DB_PASSWORD}"]
    environment: [PORT=5432, "MODE=a=b"]
    tmpfs: ["/tmp:size=16m"]
    read_only: true
    cpus: 0.5
    pids_limit: 64
    user: "999:999"
    cap_add: [CAP_CHOWN, SETUID]
    healthcheck:
      test: ["CMD-SHELL", "check $$PORT"]
      interval: 1m30s
      timeout: 500ms
      retries: 5
      start_period: 1h
    stop_grace_period: 1500ms
    stop_signal: SIGINT
    working_dir: /srv"#,
    )
    .unwrap();

    assert_eq!(template.volumes, ["data"]);
    assert_eq!((template.memory_mib(), template.disk_mib), (1088, 512));
    assert!((template.cpus() - 1.5).abs() < f64::EPSILON);
    assert_eq!(template.secrets["DB_PASSWORD"].bytes, 24);
    let [db, web] = template.services.as_slice() else { panic!("two services, db first") };
    assert_eq!((db.name.as_str(), web.name.as_str()), ("db", "web"));
    assert_eq!(db.entrypoint.as_deref().unwrap(), ["/start", "--quiet", "two words"]);
    assert_eq!(db.environment["PORT"], "5432");
    assert_eq!(db.environment["MODE"], "a=b");
    let mount = Mount { volume: "data".into(), target: "/data".into(), read_only: false };
    assert_eq!(db.mounts, [mount]);
    assert_eq!(db.tmpfs, ["/tmp:size=16m"]);
    assert!(db.read_only);
    assert_eq!((db.memory_mib, db.cpus_milli, db.pids_max), (1024, 500, 64));
    assert_eq!(db.user.as_deref(), Some("999:999"));
    assert_eq!(db.cap_add, ["CHOWN", "SETUID"]);
    let healthcheck = Healthcheck {
        test: vec!["CMD-SHELL".into(), "check $PORT".into()],
        interval_ms: 90_000,
        timeout_ms: 500,
        retries: 5,
        start_period_ms: 3_600_000,
    };
    assert_eq!(db.healthcheck, Some(healthcheck));
    assert_eq!(db.stop_grace_seconds, 2);
    assert_eq!(db.stop_signal.as_deref(), Some("SIGINT"));
    assert_eq!(db.working_dir.as_deref(), Some("/srv"));
    assert_eq!((web.cpus_milli, web.pids_max, web.stop_grace_seconds), (1000, 256, 10));
    assert_eq!(web.depends_on, [DependsOn { service: "db".into(), healthy: false }]);
}

#[test]
fn every_service_key_that_is_refused_is_named_with_its_line() {
    // (key, value, a part of the reason; empty where there is nothing to say)
    let rows = [
        ("privileged", "true", "powers of the host"),
        ("network_mode", "host", "one network of its own"),
        ("networks", "[other]", "one network of its own"),
        ("ports", "['80:80']", "through the gateway"),
        ("pid", "host", "share namespaces"),
        ("ipc", "host", "share namespaces"),
        ("uts", "host", "share namespaces"),
        ("cgroup_parent", "/", "share namespaces"),
        ("devices", "['/dev/sda']", "host's devices"),
        ("security_opt", "['seccomp:unconfined']", "confinement"),
        ("extra_hosts", "['a:1.2.3.4']", "by name"),
        ("links", "[web]", "by name"),
        ("dns", "1.1.1.1", "inside the space"),
        ("userns_mode", "host", "user namespace"),
        ("volumes_from", "[web]", "name the volume"),
        ("env_file", ".env", "under environment"),
        ("build", ".", "finished images"),
        ("cap_drop", "[ALL]", "dropped already"),
        ("restart", "always", "worker restarts"),
        ("container_name", "x", "worker names"),
        ("deploy", "{}", "mem_limit"),
        ("secrets", "[a]", "app.toml"),
        ("configs", "[a]", "app.toml"),
        ("sysctls", "{}", "kernel parameters"),
        ("logging", "{}", "logs stay"),
        ("labels", "{}", "its own"),
        ("profiles", "[a]", "write the service out"),
        ("extends", "{}", "write the service out"),
        ("oom_kill_disable", "true", "full host"),
        ("hostname", "x", ""),
        ("tty", "true", ""),
        ("imagee", "x", ""),
    ];
    for (key, value, why) in rows {
        let error = with_db(&format!("    {key}: {value}")).unwrap_err();
        let start = format!("compose.yaml:11: services.db.{key}: not supported");
        assert!(error.starts_with(&start), "{key}: {error}");
        assert!(error.contains(why), "{key}: {error}");
        assert_eq!(why.is_empty(), error.ends_with("not supported"), "{key}: {error}");
    }
}

#[test]
fn every_value_that_is_refused_is_named_with_its_line() {
    let capabilities = "a space may have no capability but CHOWN, DAC_OVERRIDE, FOWNER, \
                        NET_BIND_SERVICE, SETGID, SETUID";
    let host_path = "a space may not mount a path of the host; use a named volume";
    let time = "a time is written like 500ms, 30s or 1m30s, and is at most a day";
    let cpus = "a number of CPUs is from 0.01 to 256, with at most three decimals";
    let path = "a path begins with '/', is not '/' and has no '..'";
    let rows = [
        ("cap_add: [SYS_ADMIN]", "cap_add[0]", capabilities),
        ("cap_add: [ALL]", "cap_add[0]", capabilities),
        ("cap_add: [CHOWN, NET_ADMIN]", "cap_add[1]", capabilities),
        (
            "tmpfs: ['/tmp:exec']",
            "tmpfs[0]",
            "a tmpfs has the options size, mode, uid and gid only",
        ),
        ("tmpfs: ['tmp']", "tmpfs[0]", path),
        ("tmpfs: ['/']", "tmpfs[0]", path),
        ("tmpfs: ['/a/../b']", "tmpfs[0]", path),
        ("cpus: 0.001", "cpus", cpus),
        ("cpus: 300", "cpus", cpus),
        ("cpus: 0.0005", "cpus", cpus),
        ("cpus: -1", "cpus", cpus),
        ("cpus: 1e1", "cpus", cpus),
        ("stop_grace_period: 10", "stop_grace_period", time),
        ("stop_grace_period: 25h", "stop_grace_period", time),
        ("stop_grace_period: ''", "stop_grace_period", time),
        ("stop_grace_period: 1d", "stop_grace_period", time),
        (
            "environment: [A]",
            "environment",
            "A has no value: the environment of the worker is not passed on",
        ),
        (
            "environment: {A: }",
            "environment",
            "A has no value: the environment of the worker is not passed on",
        ),
        ("environment: {a b: x}", "environment", r#""a b" can't be the name of a variable"#),
        ("environment: [A=1, A=2]", "environment", "A is there twice"),
        ("command: 'a \"b'", "command", "a quote is not closed"),
        ("command: 'a \\b'", "command", "use a list for a command with backslashes"),
        (
            "healthcheck: {test: [x]}",
            "healthcheck.test",
            r#"a test is ["CMD", program, …], ["CMD-SHELL", line] or ["NONE"]"#,
        ),
        ("healthcheck: {test: [NONE], interval: x}", "healthcheck.interval", time),
        ("volumes: ['/etc:/etc']", "volumes[0]", host_path),
        ("volumes: ['./x:/etc']", "volumes[0]", host_path),
        ("volumes: ['~/x:/etc']", "volumes[0]", host_path),
        ("volumes: ['../x:/etc']", "volumes[0]", host_path),
        (
            "volumes: ['/var/run/docker.sock:/s']",
            "volumes[0]",
            "a space may not reach the Docker Engine: that is the whole host",
        ),
        ("volumes: ['/data']", "volumes[0]", "a volume is written as name:/path or name:/path:ro"),
        ("volumes: ['data:/x:z']", "volumes[0]", "a volume has the options ro and rw only"),
        ("volumes: ['data:/x:ro:rw']", "volumes[0]", "a volume has the options ro and rw only"),
        ("volumes: ['data:x']", "volumes[0]", path),
        (
            "volumes: ['Data:/x']",
            "volumes[0]",
            "a volume's name has a-z, 0-9, '-' and '_', and begins with a letter",
        ),
    ];
    let compose = COMPOSE.replace("    volumes:\n      - data:/data\n", "");
    for (line, key, rule) in rows {
        let compose =
            compose.replace("    mem_limit: 1g\n", &format!("    mem_limit: 1g\n    {line}\n"));
        let want = format!("compose.yaml:11: services.db.{key}: {rule}");
        assert_eq!(parse(&compose, APP).unwrap_err(), want, "{line}");
    }
    for size in ["5m", "1025g", "1", "64k", "x", "m", "''", "-1g"] {
        let compose = COMPOSE.replace("1g", size);
        let error = parse(&compose, APP).unwrap_err();
        assert!(error.starts_with("compose.yaml:10: services.db.mem_limit: a size is"), "{error}");
    }
}

#[test]
fn every_rule_on_how_parts_of_a_compose_file_fit_together() {
    let shell = "is for environment only, since a command may be a shell's";
    let dollar = "a '$' is written as '$$', and a variable as ${NAME} or ${NAME:-default}";
    let name =
        "a name has a-z, 0-9, '-' and '_', begins with a letter and has at most 40 characters";
    // (what to replace, by what, the error)
    let rows = [
        ("    image: example/db:1\n", "", "services.db.image: required".into()),
        ("    mem_limit: 1g\n", "", "services.db.mem_limit: required".into()),
        (
            "example/db:1",
            "example/${SPACE_NAME}",
            "services.db.image: must be the reference of an image, without variables".into(),
        ),
        ("data:/data", "other:/data", "services.db.volumes: there is no volume other".into()),
        (
            "      - data:/data\n",
            "      - data:/data\n      - data:/data:ro\n",
            "services.db.volumes: /data is mounted twice".into(),
        ),
        ("[db]", "[dbb]", "services.web.depends_on: there is no service dbb".into()),
        ("[db]", "[web]", "services.web.depends_on: waits for itself".into()),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    depends_on: [web]",
            "services.db.depends_on: waits for itself".into(),
        ),
        (
            "[db]",
            "{db: {condition: service_healthy}}",
            "services.web.depends_on: db has no healthcheck to wait for".into(),
        ),
        (
            "${SPACE_TITLE}",
            "${SPACE_TITEL}",
            "services.web.environment.TITLE: there is no variable SPACE_TITEL".into(),
        ),
        (
            "${SPACE_TITLE}",
            "${PATH:-x}",
            "services.web.environment.TITLE: there is no variable PATH".into(),
        ),
        ("${SPACE_TITLE}", "$SPACE_TITLE", format!("services.web.environment.TITLE: {dollar}")),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    command: [a, '${X}']",
            "services.db.command[1]: there is no variable X".into(),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    command: [sh, -c, 'echo ${SPACE_TITLE}']",
            format!("services.db.command[2]: SPACE_TITLE {shell}"),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    command: ['${SPACE_NAME} ${SETTING_THEME:-x}']",
            format!("services.db.command[0]: SETTING_THEME {shell}"),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    stop_grace_period: 10m1s",
            "services.db.stop_grace_period: must be at most 10m".into(),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    user: ${SPACE_NAME}",
            "services.db.user: variables are for environment and command only".into(),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    working_dir: /$HOME",
            format!("services.db.working_dir: {dollar}"),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    entrypoint: ['${SPACE_NAME}']",
            "services.db.entrypoint: variables are for environment and command only".into(),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    healthcheck: {test: [CMD-SHELL, '${SPACE_NAME}']}",
            "services.db.healthcheck.test: variables are for environment and command only".into(),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    pids_limit: 0",
            "services.db.pids_limit: must be from 1 to 32768".into(),
        ),
        ("  db:\n", "  Db:\n", format!("services.Db: {name}")),
        ("  data:\n", "  data:\n  a.b:\n", format!("volumes.a.b: {name}")),
    ];
    for (from, to, error) in rows {
        let compose = COMPOSE.replacen(from, to, 1);
        assert_ne!(compose, COMPOSE, "{from}");
        assert_eq!(parse(&compose, APP).unwrap_err(), format!("compose.yaml: {error}"), "{to}");
    }
}

#[test]
fn what_is_no_compose_file_is_refused_with_its_line() {
    let rows = [
        (
            "a volume with options",
            COMPOSE.replace("data:\n", "data: {driver: local}\n"),
            "compose.yaml:14: volumes.data.driver: not supported: volumes are made by the worker; write only the name",
        ),
        (
            "an external volume",
            COMPOSE.replace("data:\n", "data:\n    external: true\n"),
            "compose.yaml:15: volumes.data.external: not supported: volumes are made by the worker; write only the name",
        ),
        (
            "a network",
            format!("{COMPOSE}networks: {{}}\n"),
            "compose.yaml:15: networks: not supported: each space has one network of its own, and no other",
        ),
        ("a version", format!("version: '3'\n{COMPOSE}"), "compose.yaml:1: version: not supported"),
        (
            "a condition of another kind",
            COMPOSE.replace("[db]", "{db: {condition: service_completed_successfully}}"),
            "compose.yaml:7: services.web.depends_on.db.condition:",
        ),
        (
            "a key twice",
            COMPOSE.replace("    mem_limit: 1g\n", "    mem_limit: 1g\n    mem_limit: 2g\n"),
            "compose.yaml:11:",
        ),
        ("a service twice", COMPOSE.replace("  db:\n", "  web:\n"), "compose.yaml:8:"),
        ("no services", "volumes: {}\n".into(), "compose.yaml:1: services is required"),
        ("nothing", String::new(), "compose.yaml:"),
        ("not YAML", "services: [".into(), "compose.yaml:1:"),
        ("a bomb", bomb(), "compose.yaml:"),
    ];
    for (what, compose, start) in rows {
        let error = parse(&compose, APP).unwrap_err();
        assert!(error.starts_with(start), "{what}: {error}");
        assert!(!error.contains('\n'), "{what}: {error}");
    }
}

/// Nine levels of nine aliases each.
fn bomb() -> String {
    let levels = (1..9).map(|level| {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        format!("a{level}: &a{level} [{aliases}]\n")
    });
    levels.fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |yaml, it| yaml + &it)
}

#[test]
fn every_rule_of_app_toml() {
    let rows = [
        ("title = \"Notes\"", "title = \" \"", "app.toml: title: must be a sentence, not nothing"),
        ("title = \"Notes\"\n", "", "app.toml:1: missing field `title`"),
        ("title = \"Notes\"", "titel = \"Notes\"", "app.toml:1: titel: not supported"),
        (
            "service = \"web\"",
            "service = \"www\"",
            "app.toml: web.service: there is no service www",
        ),
        ("port = 8080", "port = 0", "app.toml: web.port: must be from 1 to 65535"),
        (
            "port = 8080",
            "port = 65536",
            "app.toml:3: web.port: invalid value: integer `65536`, expected u16",
        ),
        ("port = 8080", "port = 8080, host = \"x\"", "app.toml:3: web.host: not supported"),
        (
            "\"/ready\"",
            "\"ready\"",
            "app.toml: ready.path: must be a path of visible ASCII that begins with '/'",
        ),
        (
            "\"/ready\"",
            "\"/a b\"",
            "app.toml: ready.path: must be a path of visible ASCII that begins with '/'",
        ),
        (
            "_seconds = 60",
            "_seconds = 0",
            "app.toml: ready.timeout_seconds: must be from 1 to 3600",
        ),
        (
            "_seconds = 60",
            "_seconds = 3601",
            "app.toml: ready.timeout_seconds: must be from 1 to 3600",
        ),
        ("mib = 512", "mib = 0", "app.toml: disk.mib: must be at least 1"),
        ("bytes = 24", "bytes = 15", "app.toml: secrets.DB_PASSWORD.bytes: must be from 16 to 64"),
        ("bytes = 24", "bytes = 65", "app.toml: secrets.DB_PASSWORD.bytes: must be from 16 to 64"),
        (
            "DB_PASSWORD",
            "SPACE_NAME",
            "app.toml: secrets.SPACE_NAME: must be named with A-Z, 0-9 and '_', and not like a variable of the space or a setting",
        ),
        (
            "DB_PASSWORD",
            "SETTING_X",
            "app.toml: secrets.SETTING_X: must be named with A-Z, 0-9 and '_', and not like a variable of the space or a setting",
        ),
        (
            "DB_PASSWORD",
            "db",
            "app.toml: secrets.db: must be named with A-Z, 0-9 and '_', and not like a variable of the space or a setting",
        ),
        (
            "default = \"light\"",
            "default = \"red\"",
            "app.toml: settings.theme.default: must be one of: light, dark",
        ),
        (
            "default = \"light\"",
            "pattern = \"x\"",
            "app.toml:11: settings.theme.pattern: not supported",
        ),
        ("[secrets]", "[secrets", "app.toml:6: "),
    ];
    for (from, to, start) in rows {
        let app = APP.replacen(from, to, 1);
        assert_ne!(app, APP, "{from}");
        let error = parse(COMPOSE, &app).unwrap_err();
        assert!(error.starts_with(start), "{to}: {error}");
        assert!(!error.contains('\n'), "{to}: {error}");
    }
}

/// Services that wait for each other come out in an order in which they can start.
#[test]
fn services_come_after_what_they_depend_on() {
    let service = |name: &str, on: &str| {
        format!("  {name}:\n    image: x\n    mem_limit: 8m\n    depends_on: [{on}]\n")
    };
    let compose = [
        "services:\n".to_owned(),
        service("web", "api, cache"),
        service("api", "db, cache"),
        service("cache", ""),
        service("db", ""),
    ]
    .concat();
    let template = parse(&compose, APP).unwrap();
    let order: Vec<_> = template.services.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(order, ["cache", "db", "api", "web"]);
}

#[test]
fn what_is_filled_in_is_only_ever_data() {
    let template = parse(
        &COMPOSE.replace(
            "    depends_on: [db]\n",
            "    depends_on: [db]\n    command: [serve, '--name=${SPACE_NAME}', '$$HOME']\n",
        ),
        APP,
    )
    .unwrap();
    let titles = [
        "plain",
        "",
        "it's \"quoted\"",
        "two\nlines: {yaml: [1]}",
        "$(id) `id` ${SPACE_NAME} $$",
        "-- 'é' 😀",
    ];
    for title in titles {
        let values = [("SPACE_TITLE", title), ("SPACE_NAME", "garden")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let services = template.render(&BTreeMap::from(values)).unwrap();
        let web = &services[1];
        assert_eq!(web.environment, BTreeMap::from([("TITLE".to_owned(), title.to_owned())]));
        let command = ["serve", "--name=garden", "$HOME"];
        assert_eq!(web.command.as_deref().unwrap(), command);
    }
}

#[test]
fn a_value_that_is_missing_or_has_a_nul_is_an_error() {
    let template = parse(COMPOSE, APP).unwrap();
    let (service, variable) = ("web".to_owned(), "SPACE_TITLE".to_owned());
    let missing =
        RenderError::MissingValue { service: service.clone(), variable: variable.clone() };
    assert_eq!(template.render(&BTreeMap::new()), Err(missing));
    let values = BTreeMap::from([(variable.clone(), "a\0b".to_owned())]);
    assert_eq!(template.render(&values), Err(RenderError::Nul { service, variable }));
}

#[test]
fn the_templates_of_this_repository_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../apps");
    let templates = apps::read_dir(&folder).unwrap();
    let ids: Vec<_> = templates.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["hello", "notes"]);
    for template in templates {
        let values = template.variables().into_iter().map(|it| (it, "x".to_owned()));
        assert_eq!(template.render(&values.collect()).unwrap().len(), template.services.len());
    }
}

#[test]
fn a_folder_is_read_or_the_file_that_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let app = |id: &str, compose: &str| {
        let app = folder.path().join(id);
        fs::create_dir_all(&app).unwrap();
        fs::write(app.join("app.toml"), APP).unwrap();
        fs::write(app.join("compose.yaml"), compose).unwrap();
    };
    // Not a template: no app.toml.
    fs::create_dir(folder.path().join("pictures")).unwrap();
    fs::write(folder.path().join("README.md"), "").unwrap();
    app("b", COMPOSE);
    app("a", COMPOSE);
    let ids = |it: Vec<Template>| it.into_iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(apps::read_dir(folder.path()).unwrap()), ["a", "b"]);

    app("c", &COMPOSE.replace("mem_limit: 1g", "privileged: true"));
    let error = apps::read_dir(folder.path()).unwrap_err().to_string();
    assert!(error.contains("/c/compose.yaml:10: services.db.privileged: not supported"), "{error}");

    fs::remove_file(folder.path().join("c/compose.yaml")).unwrap();
    let error = apps::read_dir(folder.path()).unwrap_err();
    assert!(matches!(&error, ReadError::Io { path, .. } if path.ends_with("c/compose.yaml")));

    fs::remove_dir_all(folder.path().join("c")).unwrap();
    app("C_3", COMPOSE);
    let error = apps::read_dir(folder.path()).unwrap_err();
    assert!(matches!(error, ReadError::BadId { .. }), "{error}");
}

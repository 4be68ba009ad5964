//! What a compose file says, and how its parts fit together.

use apps::{DependsOn, Healthcheck, Mount};

use crate::{APP, COMPOSE, errors, parse, with, with_db};

#[test]
fn a_template_says_all_that_a_worker_needs() {
    let template = with_db(
        r#"    entrypoint: /start --quiet 'two words'
    command: ["serve", "--price", "5$$", "${DB_PASSWORD}"]
    environment: [PORT=5432, "MODE=a=b"]
    tmpfs: ["/tmp:size=16m"]
    read_only: true
    init: true
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
    assert!(db.read_only && db.init && !web.init);
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
fn every_rule_on_how_parts_of_a_compose_file_fit_together() {
    let name =
        "a name has a-z, 0-9, '-' and '_', begins with a letter and has at most 40 characters";
    // (what to replace, by what, the error)
    let rows = [
        ("    image: example/db:1\n", "", "8: services.db.image: required".into()),
        ("    mem_limit: 1g\n", "", "8: services.db.mem_limit: required".into()),
        (
            "data:/data",
            "other:/data",
            "12: services.db.volumes.other: there is no volume other".into(),
        ),
        (
            "      - data:/data\n",
            "      - data:/data\n      - data:/data:ro\n",
            "12: services.db.volumes.data: /data is mounted twice".into(),
        ),
        ("[db]", "[dbb]", "7: services.web.depends_on.dbb: there is no service dbb".into()),
        ("[db]", "[web]", "7: services.web.depends_on: waits for itself".into()),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    depends_on: [web]",
            "11: services.db.depends_on: waits for itself".into(),
        ),
        (
            "[db]",
            "{db: {condition: service_healthy}}",
            "7: services.web.depends_on.db: db has no healthcheck to wait for".into(),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    stop_grace_period: 10m1s",
            "11: services.db.stop_grace_period: must be at most 10m".into(),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    pids_limit: 0",
            "11: services.db.pids_limit: must be from 1 to 32768".into(),
        ),
        (
            "[db]",
            "[db, db2]\n  db2: {image: x, mem_limit: 8m, depends_on: [db3]}\n  \
             db3: {image: x, mem_limit: 8m, depends_on: [db2]}",
            "9: services.db3.depends_on: waits for itself".into(),
        ),
        ("    depends_on: [db]\n  db:\n", "  Db:\n", format!("7: services.Db: {name}")),
        ("  data:\n", "  data:\n  a.b:\n", format!("15: volumes.a.b: {name}")),
    ];
    for (from, to, error) in rows {
        let compose = with(COMPOSE, from, to);
        assert_eq!(errors(&compose, APP), format!("compose.yaml:{error}"), "{to}");
    }
}

#[test]
fn variables_are_where_a_value_is_data_and_nowhere_else() {
    let shell = "is for environment only, since a command may be a shell's";
    let dollar = "a '$' is written as '$$', and a variable as ${NAME} or ${NAME:-default}";
    let nowhere = "variables are for environment and command only";
    let nul = "has a NUL, which no environment and no argument can carry";
    let rows = [
        (
            "${SPACE_TITLE}",
            "${SPACE_TITEL}",
            "6: services.web.environment.TITLE: there is no variable SPACE_TITEL".into(),
        ),
        (
            "${SPACE_TITLE}",
            "${PATH:-x}",
            "6: services.web.environment.TITLE: there is no variable PATH".into(),
        ),
        ("${SPACE_TITLE}", "$SPACE_TITLE", format!("6: services.web.environment.TITLE: {dollar}")),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    command: [a, '${X}']",
            "11: services.db.command[1]: there is no variable X".into(),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    command: [sh, -c, 'echo ${SPACE_TITLE}']",
            format!("11: services.db.command[2]: SPACE_TITLE {shell}"),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    command: ['${SPACE_NAME} ${SETTING_THEME:-x}']",
            format!("11: services.db.command[0]: SETTING_THEME {shell}"),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    user: ${SPACE_NAME}",
            format!("11: services.db.user: {nowhere}"),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    working_dir: /$HOME",
            format!("11: services.db.working_dir: {dollar}"),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    entrypoint: ['${SPACE_NAME}']",
            format!("11: services.db.entrypoint[0]: {nowhere}"),
        ),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    healthcheck: {test: [CMD-SHELL, '${SPACE_NAME}']}",
            format!("11: services.db.healthcheck.test[1]: {nowhere}"),
        ),
        ("${SPACE_TITLE}", "\"a\\0b\"", format!("6: services.web.environment.TITLE: {nul}")),
        (
            "mem_limit: 1g",
            "mem_limit: 1g\n    entrypoint: [\"a\\0b\"]",
            format!("11: services.db.entrypoint[0]: {nul}"),
        ),
        ("${SPACE_TITLE}", "$(id)", format!("6: services.web.environment.TITLE: {dollar}")),
    ];
    for (from, to, error) in rows {
        let compose = with(COMPOSE, from, to);
        assert_eq!(errors(&compose, APP), format!("compose.yaml:{error}"), "{to}");
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
            "compose.yaml:15: volumes.data.external: not supported: a space has only what is its own; write only the name",
        ),
        (
            "a network",
            format!("{COMPOSE}networks: {{}}\n"),
            "compose.yaml:15: networks: not supported: each space has one network of its own, and no other",
        ),
        (
            "a version",
            format!("version: '3'\n{COMPOSE}"),
            "compose.yaml:1: version: not supported: there is one version, and compose ignores it too",
        ),
        (
            "a condition of another kind",
            COMPOSE.replace("[db]", "{db: {condition: service_completed_successfully}}"),
            "compose.yaml:7: services.web.depends_on.db.condition: must be service_started or service_healthy",
        ),
        (
            "a key twice",
            COMPOSE.replace("    mem_limit: 1g\n", "    mem_limit: 1g\n    mem_limit: 2g\n"),
            "compose.yaml:11:",
        ),
        ("a service twice", COMPOSE.replace("  db:\n", "  web:\n"), "compose.yaml:8:"),
        ("no services", "volumes: {}\n".into(), "compose.yaml:1: services: required"),
        (
            "services that are none",
            "services: {}\n".into(),
            "compose.yaml:1: services: has no service",
        ),
        ("nothing", String::new(), "compose.yaml:"),
        ("another file", "- a\n- b\n".into(), "compose.yaml:1:"),
        (
            "a service that is text",
            with(COMPOSE, "  db:\n", "  cache: redis\n  db:\n"),
            "compose.yaml:8: services.cache:",
        ),
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
fn what_services_have_in_common_is_written_once() {
    let compose = "services:
  db: &common
    image: x
    mem_limit: 8m
    environment: {A: '1'}
  web:
    <<: *common
    read_only: true
    ports: ['80']
";
    let template = parse(&compose.replace("    ports: ['80']\n", ""), APP).unwrap();
    let [db, web] = template.services.as_slice() else { panic!("two services") };
    assert_eq!((&web.environment, web.memory_mib), (&db.environment, 8));
    assert!(web.read_only && !db.read_only);
    let want = "compose.yaml:9: services.web.ports: not supported";
    assert!(errors(compose, APP).starts_with(want), "{}", errors(compose, APP));
}

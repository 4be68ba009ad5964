//! Values of a compose file that are refused, each by its key and with its line.

use crate::{APP, COMPOSE, errors, parse, with};

#[test]
fn every_value_that_is_refused_is_named_with_its_line() {
    let capabilities = "a space may have no capability but CHOWN, DAC_OVERRIDE, FOWNER, \
                        NET_BIND_SERVICE, SETGID, SETUID";
    let time = "a time is written like 500ms, 30s or 1m30s, and is at most a day";
    let cpus = "a number of CPUs is from 0.01 to 256, with at most three decimals";
    let rows = [
        ("cap_add: [SYS_ADMIN]", "cap_add[0]", capabilities),
        ("cap_add: [ALL]", "cap_add[0]", capabilities),
        ("cap_add: [CHOWN, NET_ADMIN]", "cap_add[1]", capabilities),
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
            "environment.A",
            "has no value: the environment of the worker is not passed on",
        ),
        (
            "environment: {A: }",
            "environment.A",
            "has no value: the environment of the worker is not passed on",
        ),
        ("environment: {a b: x}", "environment.a b", "can't be the name of a variable"),
        ("environment: ['$(id)=x']", "environment.$(id)", "can't be the name of a variable"),
        ("environment: ['=x']", "environment.", "can't be the name of a variable"),
        ("environment: [A=1, A=2]", "environment.A", "is there twice"),
        ("command: 'a \"b'", "command", "a quote is not closed"),
        ("command: 'a \\b'", "command", "use a list for a command with backslashes"),
        (
            "healthcheck: {test: [x]}",
            "healthcheck.test",
            r#"a test is ["CMD", program, …], ["CMD-SHELL", line] or ["NONE"]"#,
        ),
        ("healthcheck: {test: [NONE], interval: x}", "healthcheck.interval", time),
        (
            "healthcheck: {test: curl localhost}",
            "healthcheck.test",
            r#"a test is ["CMD", program, …], ["CMD-SHELL", line] or ["NONE"]"#,
        ),
        ("healthcheck: {interval: 1s}", "healthcheck.test", "required"),
        (
            "healthcheck: {test: [NONE], retries: 0}",
            "healthcheck.retries",
            "must be from 1 to 1000",
        ),
        ("command: 5", "command", "must be a string or a list of strings"),
        ("command: {a: b}", "command", "must be a string or a list of strings"),
        ("pids_limit: 0", "pids_limit", "must be from 1 to 32768"),
        ("pids_limit: 32769", "pids_limit", "must be from 1 to 32768"),
        ("pids_limit: -1", "pids_limit", "must be from 1 to 32768"),
    ];
    for (line, key, rule) in rows {
        assert_eq!(
            errors_of_db(line),
            format!("compose.yaml:11: services.db.{key}: {rule}"),
            "{line}"
        );
    }
    for size in ["5m", "1025g", "1", "64k", "x", "m", "''", "-1g"] {
        let compose = COMPOSE.replace("1g", size);
        let error = parse(&compose, APP).unwrap_err();
        assert!(error.starts_with("compose.yaml:10: services.db.mem_limit: a size is"), "{error}");
    }
}

/// The errors of the template with `line` among the keys of the service `db`.
fn errors_of_db(line: &str) -> String {
    let compose = COMPOSE.replace("    volumes:\n      - data:/data\n", "");
    errors(&with(&compose, "    mem_limit: 1g\n", &format!("    mem_limit: 1g\n    {line}\n")), APP)
}

#[test]
fn a_space_writes_to_what_is_its_own_and_nowhere_else() {
    let host_path = "a space may not mount a path of the host; use a named volume";
    let socket = "a space may not reach the Docker Engine: that is the whole host";
    let path = "a path begins with '/', is not '/' and has no '..'";
    let rows = [
        (
            "tmpfs: ['/tmp:exec']",
            "tmpfs[0]",
            "a tmpfs has the options size, mode, uid and gid only",
        ),
        ("tmpfs: ['tmp']", "tmpfs[0]", path),
        ("tmpfs: ['/']", "tmpfs[0]", path),
        ("tmpfs: ['/a/../b']", "tmpfs[0]", path),
        (
            "tmpfs: /tmp:size=1m:exec",
            "tmpfs",
            "a tmpfs has the options size, mode, uid and gid only",
        ),
        (
            "tmpfs: ['/tmp:size=${SPACE_ID}']",
            "tmpfs[0]",
            "a tmpfs has the options size, mode, uid and gid only",
        ),
        ("volumes: ['/etc:/etc']", "volumes[0]", host_path),
        ("volumes: ['${HOME}:/etc']", "volumes[0]", host_path),
        (
            "volumes: [{type: bind, source: /etc, target: /etc}]",
            "volumes[0]",
            "a volume is written as name:/path, in one line: the long form can mount paths of the host",
        ),
        ("volumes: ['/run/containerd/containerd.sock:/s']", "volumes[0]", socket),
        ("volumes: ['./x:/etc']", "volumes[0]", host_path),
        ("volumes: ['~/x:/etc']", "volumes[0]", host_path),
        ("volumes: ['../x:/etc']", "volumes[0]", host_path),
        ("volumes: ['/var/run/docker.sock:/s']", "volumes[0]", socket),
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
    for (line, key, rule) in rows {
        assert_eq!(
            errors_of_db(line),
            format!("compose.yaml:11: services.db.{key}: {rule}"),
            "{line}"
        );
    }
}

#[test]
fn an_image_is_a_reference_and_nothing_else() {
    let digest = "0123456789abcdef".repeat(4);
    let right = [
        "web".to_owned(),
        "web:1".to_owned(),
        "example/web:1.2-alpine_3".to_owned(),
        "registry.example:5000/a/b/web:1".to_owned(),
        format!("web@sha256:{digest}"),
        format!("registry.example/web:1@sha256:{digest}"),
    ];
    for image in right {
        let template = parse(&with(COMPOSE, "example/db:1", &image), APP).unwrap();
        assert_eq!(template.services[0].image, image);
    }
    let wrong = [
        "''",
        "a b",
        "example/${SPACE_NAME}",
        "$(id)",
        "--privileged",
        "web;id",
        "web@sha256:0",
        "web@latest",
        "\"web\\nx\"",
        "\"web\\0\"",
    ];
    let want = "compose.yaml:9: services.db.image: must be the reference of an image, without \
                variables: name:tag or name@sha256:digest";
    for image in wrong {
        assert_eq!(errors(&with(COMPOSE, "example/db:1", image), APP), want, "{image}");
    }
}

#[test]
fn an_image_of_a_registry_is_better_pinned() {
    let digest = "0123456789abcdef".repeat(4);
    let rows = [
        ("web:1".to_owned(), false),
        ("spaceport/web:1".to_owned(), false),
        ("registry.example/web:1".to_owned(), true),
        ("registry:5000/web".to_owned(), true),
        ("localhost/web:1".to_owned(), true),
        (format!("registry.example/web:1@sha256:{digest}"), false),
    ];
    for (image, is_warned) in rows {
        let template = parse(&with(COMPOSE, "example/db:1", &image), APP).unwrap();
        let warnings: Vec<_> = template.warnings().iter().map(ToString::to_string).collect();
        let want = "compose.yaml:9: services.db.image: not pinned by a digest, so what runs may \
                    change: name@sha256:…";
        assert_eq!(warnings, if is_warned { vec![want] } else { vec![] }, "{image}");
    }
}

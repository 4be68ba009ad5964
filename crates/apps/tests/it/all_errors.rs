//! All that is wrong is said at once, from top to bottom.

use crate::{APP, COMPOSE, app_toml::FULL, errors};

#[test]
fn one_error_hides_no_other() {
    let compose = "services:
  web:
    image: example/web:1
    privileged: true
    network_mode: host
    pid: host
    ports:
      - '80:80'
    cpus: 1000
    cap_add: [SYS_ADMIN, CHOWN, ALL]
    volumes:
      - /var/run/docker.sock:/s
      - other:/data
    environment:
      A: ${NOBODY}
      B:
    depends_on:
      db: {condition: service_happy}
      cache: {condition: service_started}
  db:
    command: sh -c '${SPACE_TITLE}'
    devices: [/dev/sda]
volumes:
  data: {driver: local}
networks: {}
";
    let app = r#"title = ""
description = "Notes of a group."
version = "1"
colour = "red"
web = { service = "www", port = 0 }
ready = { path = "ready", timeout_seconds = "x" }
[disk]
mib = 0
[settings.theme]
type = "string"
enum = ["light"]
default = "red"
[settings.size]
type = "integer"
minimum = 2
maximum = 1
[backup]
schedule = "daily"
volumes = ["uploads"]
"#;
    let want = "\
compose.yaml:2: services.web.mem_limit: required
compose.yaml:4: services.web.privileged: not supported: a space may not have the powers of the host
compose.yaml:5: services.web.network_mode: not supported: each space has one network of its own, and no other
compose.yaml:6: services.web.pid: not supported: a space may not share namespaces or control groups with the host
compose.yaml:7: services.web.ports: not supported: visitors come through the gateway; say which port in app.toml, [web]
compose.yaml:9: services.web.cpus: a number of CPUs is from 0.01 to 256, with at most three decimals
compose.yaml:10: services.web.cap_add[0]: a space may have no capability but CHOWN, DAC_OVERRIDE, FOWNER, NET_BIND_SERVICE, SETGID, SETUID
compose.yaml:10: services.web.cap_add[2]: a space may have no capability but CHOWN, DAC_OVERRIDE, FOWNER, NET_BIND_SERVICE, SETGID, SETUID
compose.yaml:12: services.web.volumes[0]: a space may not reach the Docker Engine: that is the whole host
compose.yaml:13: services.web.volumes.other: there is no volume other
compose.yaml:15: services.web.environment.A: there is no variable NOBODY
compose.yaml:16: services.web.environment.B: has no value: the environment of the worker is not passed on
compose.yaml:18: services.web.depends_on.db.condition: must be service_started or service_healthy
compose.yaml:19: services.web.depends_on.cache: there is no service cache
compose.yaml:20: services.db.image: required
compose.yaml:20: services.db.mem_limit: required
compose.yaml:21: services.db.command[2]: SPACE_TITLE is for environment only, since a command may be a shell's
compose.yaml:22: services.db.devices: not supported: a space may not reach the host's devices
compose.yaml:24: volumes.data.driver: not supported: volumes are made by the worker; write only the name
compose.yaml:25: networks: not supported: each space has one network of its own, and no other
app.toml:1: title: must be a sentence, not nothing
app.toml:4: colour: not supported
app.toml:5: web.port: must be from 1 to 65535
app.toml:5: web.service: there is no service www
app.toml:6: ready.timeout_seconds: invalid type: string \"x\", expected u32
app.toml:8: disk.mib: must be at least 1
app.toml:12: settings.theme.default: must be one of: light
app.toml:13: settings.size: minimum is above maximum
app.toml:18: backup.schedule: cron has five fields: minute, hour, day, month, weekday
app.toml:19: backup.volumes[0]: there is no volume uploads";
    assert_eq!(errors(compose, app), want);
}

#[test]
fn what_follows_from_an_error_is_not_said() {
    // (of COMPOSE, of FULL: what to replace and by what; the one error)
    let none = ("", "");
    let health = "mem_limit: 1g\n    healthcheck: {test: x}";
    let rows = [
        // The variables of what is wrong are still declared.
        (
            ("${SPACE_TITLE}", "${DB_PASSWORD}"),
            ("bytes = 24", "bytes = \"x\""),
            "app.toml:14: secrets.DB_PASSWORD.bytes",
        ),
        (
            ("${SPACE_TITLE}", "${OPERATOR_SMTP_HOST}"),
            (", default = \"\"", ""),
            "app.toml:17: operator.SMTP_HOST.default",
        ),
        // Neither does a database that could not be read lack for those who use it.
        (none, ("user = \"notes\"\n", ""), "app.toml:20: databases.main.user"),
        (none, ("bytes = 16", "bytes = \"x\""), "app.toml:15: secrets.ADMIN_PASSWORD.bytes"),
        // A service that waits for a bad health check waits for one.
        (
            ("[db]", "{db: {condition: service_healthy}}"),
            none,
            "compose.yaml:7: services.web.depends_on.db",
        ),
        (("mem_limit: 1g", health), none, "compose.yaml:11: services.db.healthcheck.test"),
        // Without a compose file nobody knows its services.
        (("services:", "services: ["), none, "compose.yaml:"),
        (none, ("[web]", "[web"), "app.toml:4: "),
    ];
    for ((from, to), (app_from, app_to), want) in rows {
        let compose = COMPOSE.replacen(from, to, 1);
        let found = errors(&compose, &FULL.replacen(app_from, app_to, 1));
        assert!(found.starts_with(want), "{to}{app_to}: {found}");
        let n_other = found.lines().filter(|it| !it.starts_with(&want[..8])).count();
        assert_eq!(n_other, 0, "{to}{app_to}: {found}");
    }
    let both = COMPOSE
        .replace("[db]", "{db: {condition: service_healthy}}")
        .replace("mem_limit: 1g", health);
    assert_eq!(errors(&both, APP).lines().count(), 1, "{}", errors(&both, APP));
}

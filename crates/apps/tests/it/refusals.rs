//! Keys of compose that a template may not have, each refused by its name and with its line.

use crate::{APP, COMPOSE, errors, with, with_db};

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
        ("hostname", "x", "what it is called"),
        ("domainname", "x", "what it is called"),
        ("mac_address", "x", "what it is called"),
        ("tty", "true", "in front of it"),
        ("stdin_open", "true", "in front of it"),
        ("cgroup", "host", "share namespaces"),
        ("device_cgroup_rules", "['c 1:3 mr']", "host's devices"),
        ("gpus", "all", "host's devices"),
        ("runtime", "runc", "for the host to say"),
        ("isolation", "process", "for the host to say"),
        ("platform", "linux/arm64", "for the host to say"),
        ("credential_spec", "{file: a.json}", "confinement"),
        ("use_api_socket", "true", "the whole host"),
        ("provider", "{type: x}", "on the host itself"),
        ("post_start", "[{command: x, privileged: true}]", "on the host itself"),
        ("pre_stop", "[{command: x}]", "on the host itself"),
        ("develop", "{}", "on the host itself"),
        ("group_add", "[docker]", "host's files"),
        ("external_links", "[web]", "by name"),
        ("dns_search", "example.org", "inside the space"),
        ("dns_opt", "[use-vc]", "inside the space"),
        ("label_file", "x", "under environment"),
        ("pull_policy", "always", "the worker pulls"),
        ("scale", "2", "one container a service"),
        ("ulimits", "{nofile: 1}", "the Engine's"),
        ("shm_size", "64m", "under tmpfs"),
        ("storage_opt", "{size: 1g}", "[disk]"),
        ("blkio_config", "{}", "mem_limit, cpus and pids_limit"),
        ("cpu_count", "1", "mem_limit, cpus and pids_limit"),
        ("cpu_percent", "50", "mem_limit, cpus and pids_limit"),
        ("cpu_period", "1", "mem_limit, cpus and pids_limit"),
        ("cpu_quota", "1", "mem_limit, cpus and pids_limit"),
        ("cpu_rt_period", "1", "mem_limit, cpus and pids_limit"),
        ("cpu_rt_runtime", "1", "mem_limit, cpus and pids_limit"),
        ("cpu_shares", "1", "mem_limit, cpus and pids_limit"),
        ("cpuset", "'0'", "mem_limit, cpus and pids_limit"),
        ("mem_reservation", "8m", "mem_limit, cpus and pids_limit"),
        ("mem_swappiness", "1", "mem_limit, cpus and pids_limit"),
        ("memswap_limit", "8m", "mem_limit, cpus and pids_limit"),
        ("attach", "true", "logs stay"),
        ("annotations", "{}", "its own"),
        ("oom_score_adj", "-1000", "full host"),
        ("expose", "['80']", "at every port"),
        ("models", "[a]", ""),
        ("driver_opts", "{}", ""),
        ("x-anything", "1", ""),
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
fn keys_elsewhere_are_refused_by_name_too() {
    let written_by = "volumes are made by the worker; write only the name";
    let own = "a space has only what is its own; write only the name";
    let rows = [
        ("data:\n", "data: {driver: local}\n", 14, "volumes.data.driver", written_by),
        ("data:\n", "data: {driver_opts: {o: bind}}\n", 14, "volumes.data.driver_opts", written_by),
        ("data:\n", "data: {labels: [a]}\n", 14, "volumes.data.labels", written_by),
        ("data:\n", "data: {external: true}\n", 14, "volumes.data.external", own),
        ("data:\n", "data: {name: other}\n", 14, "volumes.data.name", own),
        (
            "services:",
            "networks: {a: {external: true}}\nservices:",
            1,
            "networks",
            "each space has one network of its own, and no other",
        ),
        (
            "services:",
            "secrets: {a: {file: /etc/shadow}}\nservices:",
            1,
            "secrets",
            "secrets are declared in app.toml and used as ${NAME}",
        ),
        (
            "services:",
            "configs: {a: {file: /etc/shadow}}\nservices:",
            1,
            "configs",
            "secrets are declared in app.toml and used as ${NAME}",
        ),
        ("services:", "include: [other.yaml]\nservices:", 1, "include", "write the services out"),
        ("services:", "x-a: 1\nservices:", 1, "x-a", ""),
        (
            "[db]",
            "{db: {condition: service_started, restart: true}}",
            7,
            "services.web.depends_on.db.restart",
            "",
        ),
        (
            "mem_limit: 64m",
            "mem_limit: 64m\n    healthcheck: {test: [NONE], disable: true}",
            5,
            "services.web.healthcheck.disable",
            r#"write test: ["NONE"]"#,
        ),
        (
            "mem_limit: 64m",
            "mem_limit: 64m\n    healthcheck: {test: [NONE], start_interval: 1s}",
            5,
            "services.web.healthcheck.start_interval",
            "not every Docker Engine knows it; use interval",
        ),
    ];
    for (from, to, line, key, why) in rows {
        let colon = if why.is_empty() { "" } else { ": " };
        let want = format!("compose.yaml:{line}: {key}: not supported{colon}{why}");
        assert_eq!(errors(&with(COMPOSE, from, to), APP), want, "{to}");
    }
}

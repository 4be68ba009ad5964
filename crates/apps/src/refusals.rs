//! Why keys of compose are refused, for those where an author would ask.

const NETWORK: &str = "each space has one network of its own, and no other";
const SECRETS: &str = "secrets are declared in app.toml and used as ${NAME}";
const RUNS_HERE: &str = "nothing of a template runs on the host itself";
const PROCESSOR: &str = "the limits of a service are mem_limit, cpus and pids_limit";

/// What there is to say on the key `name` of a service. Nothing means: not needed so far.
pub(crate) fn service_key(name: &str) -> &'static str {
    match name {
        "privileged" => "a space may not have the powers of the host",
        "network_mode" | "networks" => NETWORK,
        "ports" => "visitors come through the gateway; say which port in app.toml, [web]",
        "expose" => "services of a space reach each other at every port",
        "pid" | "ipc" | "uts" | "cgroup" | "cgroup_parent" => {
            "a space may not share namespaces or control groups with the host"
        }
        "devices" | "device_cgroup_rules" | "gpus" => "a space may not reach the host's devices",
        "security_opt" | "credential_spec" => {
            "the confinement of spaces is not for templates to change"
        }
        "runtime" | "isolation" | "platform" => "what runs the containers is for the host to say",
        "use_api_socket" => "a space may not reach the Docker Engine: that is the whole host",
        "provider" | "post_start" | "pre_stop" | "develop" => RUNS_HERE,
        "group_add" => "groups may be those of the host's files",
        "extra_hosts" | "external_links" | "links" => {
            "services reach each other by name, and nothing else of the host"
        }
        "dns" | "dns_search" | "dns_opt" => "names are resolved inside the space",
        "hostname" | "domainname" | "mac_address" => {
            "a service is called what it is called in this file"
        }
        "userns_mode" => "a space may not choose its user namespace",
        "volumes_from" => "name the volume in both services instead",
        "env_file" | "label_file" => "write the variables under environment",
        "build" => "a host runs finished images only; build it before and name it under image",
        "pull_policy" | "pull_refresh_after" => "the worker pulls what the host does not have",
        "cap_drop" => "every capability is dropped already; cap_add names the ones to keep",
        "restart" => "the worker restarts what should run",
        "container_name" => "the worker names containers, since there are many of one template",
        "deploy" => "limits are mem_limit, cpus and pids_limit; there is one container a service",
        "scale" => "there is one container a service",
        "secrets" | "configs" => SECRETS,
        "sysctls" => "a space may not set kernel parameters",
        "ulimits" => "the limits of processes are the Engine's",
        "shm_size" => "write /dev/shm:size=256m under tmpfs",
        "storage_opt" => "the disk of a space is limited in app.toml, [disk]",
        "blkio_config" | "cpu_count" | "cpu_percent" | "cpu_period" | "cpu_quota"
        | "cpu_rt_period" | "cpu_rt_runtime" | "cpu_shares" | "cpuset" | "mem_reservation"
        | "mem_swappiness" | "memswap_limit" => PROCESSOR,
        "logging" | "attach" => "logs stay with the Engine, where the owner reads them",
        "labels" | "annotations" => "labels are how the worker knows what is its own",
        "extends" | "profiles" => "write the service out",
        "oom_kill_disable" | "oom_score_adj" => "a space may not outlive others on a full host",
        "stdin_open" | "tty" => "nobody sits in front of it",
        _ => "",
    }
}

/// What there is to say on the key `name` at the top of the file.
pub(crate) fn top_key(name: &str) -> &'static str {
    match name {
        "networks" => NETWORK,
        "secrets" | "configs" => SECRETS,
        "include" => "write the services out",
        "version" => "there is one version, and compose ignores it too",
        _ => "",
    }
}

/// What there is to say on the key `name` of a health check.
pub(crate) fn healthcheck_key(name: &str) -> &'static str {
    match name {
        "disable" => r#"write test: ["NONE"]"#,
        "start_interval" => "not every Docker Engine knows it; use interval",
        _ => "",
    }
}

/// What there is to say on the key `name` of a named volume.
pub(crate) fn volume_key(name: &str) -> &'static str {
    match name {
        "external" | "name" => "a space has only what is its own; write only the name",
        _ => "volumes are made by the worker; write only the name",
    }
}

//! Why keys of compose are refused, for those where an author would ask.

/// What there is to say on the key `name` of a service. Nothing means: not needed so far.
pub(crate) fn service_key(name: &str) -> &'static str {
    match name {
        "privileged" => "a space may not have the powers of the host",
        "network_mode" | "networks" => "each space has one network of its own, and no other",
        "ports" => "visitors come through the gateway; say which port in app.toml, [web]",
        "pid" | "ipc" | "uts" | "cgroup" | "cgroup_parent" => {
            "a space may not share namespaces or control groups with the host"
        }
        "devices" | "device_cgroup_rules" | "gpus" => "a space may not reach the host's devices",
        "security_opt" => "the confinement of spaces is not for templates to change",
        "extra_hosts" | "external_links" | "links" => {
            "services reach each other by name, and nothing else of the host"
        }
        "dns" | "dns_search" | "dns_opt" => "names are resolved inside the space",
        "userns_mode" => "a space may not choose its user namespace",
        "volumes_from" => "name the volume in both services instead",
        "env_file" => "write the variables under environment",
        "build" => "a host runs finished images only; build it before and name it under image",
        "cap_drop" => "every capability is dropped already; cap_add names the ones to keep",
        "restart" => "the worker restarts what should run",
        "container_name" => "the worker names containers, since there are many of one template",
        "deploy" => "limits are mem_limit, cpus and pids_limit; there is one container a service",
        "secrets" | "configs" => "secrets are declared in app.toml and used as ${NAME}",
        "sysctls" => "a space may not set kernel parameters",
        "logging" => "logs stay with the Engine, where the owner reads them",
        "labels" => "labels are how the worker knows what is its own",
        "extends" | "profiles" => "write the service out",
        "oom_kill_disable" | "oom_score_adj" => "a space may not outlive others on a full host",
        _ => "",
    }
}

/// What there is to say on the key `name` at the top of the file.
pub(crate) fn top_key(name: &str) -> &'static str {
    match name {
        "networks" => "each space has one network of its own, and no other",
        "secrets" | "configs" => "secrets are declared in app.toml and used as ${NAME}",
        "include" => "write the services out",
        _ => "",
    }
}

/// What there is to say on any key of a named volume.
pub(crate) const VOLUME_KEY: &str = "volumes are made by the worker; write only the name";

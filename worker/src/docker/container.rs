//! Containers as Docker is asked for them: each with its limits, and with as little as it needs.

use std::collections::HashMap;

use apps::{Healthcheck, Kind, Service, Template};
use bollard::models::{
    ContainerCreateBody, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig, Mount,
    MountType, NetworkingConfig, RestartPolicy, RestartPolicyNameEnum,
};
use domain::SpaceId;

use super::labels::{LabelMap, network_name, object_name};

/// How much of a container's logs Docker keeps, in two files.
const LOG_FILE_SIZE_MAX: &str = "5m";

/// What the kernel counts on top when it chooses whom to end on a host that is out of memory, in
/// thousandths of the host's memory: services that nobody depends on go first, then those that others
/// depend on, then those that spaces share. The host's own, which have 0, go last.
const OOM_SCORES: [i64; 3] = [500, 400, 200];

/// The kernel parameters of a space's network. A container that is in the networks of several spaces
/// must not pass packets from one to another.
const SYSCTLS: [(&str, &str); 1] = [("net.ipv4.ip_forward", "0")];

/// How soon `service` of `template` is ended on a host that is out of memory: the higher, the sooner.
pub(super) fn oom_score(template: &Template, service: &str) -> i64 {
    let mut depended_on = template.services.iter().flat_map(|it| &it.depends_on);
    let is_needed = depended_on.any(|it| it.service == service);
    let [leaf, needed, shared] = OOM_SCORES;
    match template.kind {
        Kind::Shared => shared,
        Kind::App if is_needed => needed,
        Kind::App => leaf,
    }
}

/// The container of `service`, whose texts are filled in, with this [`oom_score`].
pub(super) fn body(
    space: &SpaceId,
    service: &Service,
    labels: LabelMap,
    oom_score: i64,
) -> ContainerCreateBody {
    let network = network_name(space);
    let endpoint = EndpointSettings {
        aliases: Some(vec![service.name.clone()]),
        ..EndpointSettings::default()
    };
    let environment = service.environment.iter().map(|(key, value)| format!("{key}={value}"));
    ContainerCreateBody {
        image: Some(service.image.clone()),
        hostname: Some(service.name.clone()),
        user: service.user.clone(),
        env: Some(environment.collect()),
        entrypoint: service.entrypoint.clone(),
        cmd: service.command.clone(),
        working_dir: service.working_dir.clone(),
        healthcheck: service.healthcheck.as_ref().map(health_config),
        stop_signal: service.stop_signal.clone(),
        stop_timeout: Some(service.stop_grace_seconds.into()),
        labels: Some(labels),
        host_config: Some(HostConfig {
            oom_score_adj: Some(oom_score),
            ..host_config(space, service)
        }),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(network, endpoint)])),
        }),
        ..ContainerCreateBody::default()
    }
}

fn host_config(space: &SpaceId, service: &Service) -> HostConfig {
    let memory = i64::from(service.memory_mib) * 1024 * 1024;
    let mounts = service.mounts.iter().map(|it| Mount {
        typ: Some(MountType::VOLUME),
        source: Some(object_name(space, &it.volume)),
        target: Some(it.target.clone()),
        read_only: Some(it.read_only),
        ..Mount::default()
    });
    let tmpfs = service.tmpfs.iter().map(|it| {
        let (path, options) = it.split_once(':').unwrap_or((it, ""));
        (path.to_owned(), options.to_owned())
    });
    let log_options = [("max-size", LOG_FILE_SIZE_MAX), ("max-file", "2")];
    HostConfig {
        network_mode: Some(network_name(space)),
        mounts: Some(mounts.collect()),
        tmpfs: Some(tmpfs.collect()),
        readonly_rootfs: Some(service.read_only),
        init: service.init.then_some(true),
        memory: Some(memory),
        // Memory and swap together: no swap on top.
        memory_swap: Some(memory),
        nano_cpus: Some(i64::from(service.cpus_milli) * 1_000_000),
        pids_limit: Some(service.pids_max.into()),
        cap_drop: Some(vec!["ALL".to_owned()]),
        cap_add: Some(service.cap_add.clone()),
        sysctls: Some(SYSCTLS.map(|(key, it)| (key.to_owned(), it.to_owned())).into()),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(log_options.map(|(key, it)| (key.to_owned(), it.to_owned())).into()),
        }),
        // The worker starts what should run, after a reboot too: it knows what is wanted by then.
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        }),
        ..HostConfig::default()
    }
}

fn health_config(check: &Healthcheck) -> HealthConfig {
    let nanoseconds =
        |ms: u64| Some(i64::try_from(ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX));
    HealthConfig {
        test: Some(check.test.clone()),
        interval: nanoseconds(check.interval_ms),
        timeout: nanoseconds(check.timeout_ms),
        retries: Some(check.retries.into()),
        start_period: nanoseconds(check.start_period_ms),
        start_interval: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_goes_before_its_database_and_that_before_what_is_shared() {
        let compose = "services:\n  web: {image: 'app:1', mem_limit: 16m, depends_on: [db]}\n  \
                       db: {image: 'db:1', mem_limit: 16m}\n";
        let head = "title = 'A'\ndescription = 'B.'\nversion = '1'\ndisk = { mib = 1 }\n";
        let app = "web = { service = 'web', port = 80 }\n\
                   ready = { path = '/', timeout_seconds = 5 }\n";
        let shared = "kind = 'shared'\nready = { timeout_seconds = 5 }\n";
        #[rustfmt::skip]
        let rows = [
            (app,    "web", 500),
            (app,    "db",  400),
            (shared, "web", 200),
            (shared, "db",  200),
        ];
        for (kind, service, want) in rows {
            let template = Template::parse("a", compose, &format!("{head}{kind}")).unwrap();
            assert_eq!(oom_score(&template, service), want, "{kind} {service}");
        }
    }
}

//! Whether there is a Docker Engine, and whether it can keep a space within its limits.

use std::time::Duration;

use bollard::{Docker, models::SystemInfo};

use super::{super::Firewall, Finding};

/// How long the Engine may take to answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);

pub(super) async fn look() -> Vec<Finding> {
    let info = async { Docker::connect_with_defaults()?.info().await };
    let fix = "install Docker Engine (apt install docker.io), start it (systemctl start docker), and \
               be in the group docker";
    match tokio::time::timeout(ANSWER_TIME_MAX, info).await {
        Ok(Ok(info)) => vec![engine(&info), limits(&info)],
        Ok(Err(error)) => {
            vec![Finding::fail("docker", format!("no Docker Engine answers ({error})"), fix)]
        }
        Err(_) => vec![Finding::fail("docker", "the Docker Engine hangs", fix)],
    }
}

/// Without the filter a space reaches what this machine offers to its networks.
pub(super) async fn firewall(wanted: Firewall) -> Finding {
    let fix = "start as root, with iptables installed; or start with --firewall off, if spaces may \
               reach what this machine offers to its networks";
    match (wanted, worker::firewall_works().await) {
        (Firewall::On, Ok(())) => Finding::ok("firewall", "spaces are kept from this machine"),
        (Firewall::Off, Ok(())) => {
            Finding::warn("firewall", "it is to be off, and would work", "leave out --firewall off")
        }
        (Firewall::On, Err(error)) => {
            let error = crate::output::one_line(&anyhow::Error::new(error));
            Finding::fail("firewall", error, fix)
        }
        (Firewall::Off, Err(_)) => {
            let message = "spaces reach what this machine offers to its networks";
            Finding::warn("firewall", message, "start as root, with iptables installed")
        }
    }
}

fn engine(info: &SystemInfo) -> Finding {
    let version = info.server_version.as_deref().unwrap_or("of unknown version");
    Finding::ok("docker", format!("Docker Engine {version}"))
}

/// Without these controllers of the kernel a space can take what is meant for others.
fn limits(info: &SystemInfo) -> Finding {
    let controllers = [
        ("memory", info.memory_limit),
        ("CPU", info.cpu_cfs_quota),
        ("processes", info.pids_limit),
    ];
    let missing: Vec<&str> =
        controllers.iter().filter(|(_, has)| *has != Some(true)).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Finding::ok("cgroup", "memory, CPU and processes of a space are limited");
    }
    Finding::warn(
        "cgroup",
        format!("Docker cannot limit a space's {}", missing.join(", ")),
        "boot a kernel with these cgroup controllers on",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Level;

    #[test]
    fn a_limit_that_is_missing_is_named() {
        let info = |memory, cpu, processes| SystemInfo {
            memory_limit: memory,
            cpu_cfs_quota: cpu,
            pids_limit: processes,
            ..SystemInfo::default()
        };
        assert_eq!(limits(&info(Some(true), Some(true), Some(true))).level, Level::Ok);
        let finding = limits(&info(Some(false), Some(true), None));
        assert_eq!(finding.level, Level::Warn);
        assert_eq!(finding.message, "Docker cannot limit a space's memory, processes");
    }
}

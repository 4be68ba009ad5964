//! What this host offers to the edge: how it is reached, its memory, its apps.

use std::{fs, net::SocketAddr};

use apps::{Kind, Template};
use fleet::{AppOffer, Hello};

/// Memory that is kept for the host itself, in MiB: at least this much, or a tenth.
const RESERVE_MIB_MIN: u64 = 512;

/// The introduction of a host with so much memory, of which its shared stacks have `shared_mib`.
pub(crate) fn hello<'a>(
    gateway_url: String,
    memory_total_mib: u64,
    shared_mib: u64,
    templates: impl Iterator<Item = &'a Template>,
) -> Hello {
    let offer = |it: &Template| AppOffer {
        id: it.id.clone(),
        title: it.title.clone(),
        description: it.description.clone(),
        release: it.release.clone(),
        version: it.version.clone(),
        memory_mib: it.memory_mib(),
        cpus_milli: it.services.iter().fold(0, |sum, it| sum.saturating_add(it.cpus_milli)),
        disk_mib: it.disk_mib,
        settings_schema: serde_json::to_value(&it.settings).unwrap_or_default(),
    };
    Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        gateway_url,
        memory_mib: for_spaces_mib(memory_total_mib).saturating_sub(shared_mib),
        apps: templates.filter(|it| it.kind == Kind::App).map(offer).collect(),
    }
}

/// Where a gateway at `bound` is reached. One that listens on every address is reached at any of the
/// host's, so its URL has the host's name.
pub(crate) fn gateway_url(bound: SocketAddr) -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        name if bound.ip().is_unspecified() && !name.is_empty() => {
            format!("http://{name}:{}", bound.port())
        }
        _ => format!("http://{bound}"),
    }
}

/// What spaces may have of so much memory: each of them may use all that it asked for, and the
/// kernel must not have to choose between them and what runs them.
fn for_spaces_mib(total_mib: u64) -> u64 {
    total_mib.saturating_sub(RESERVE_MIB_MIN.max(total_mib / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_keeps_some_memory_for_itself() {
        let rows = [(0, 0), (512, 0), (1024, 512), (4096, 3584), (5120, 4608), (65_536, 58_983)];
        for (total, want) in rows {
            assert_eq!(for_spaces_mib(total), want, "{total} MiB");
        }
    }

    #[test]
    fn an_address_that_is_none_is_not_told() {
        for bound in ["127.0.0.1:8080", "[::1]:8080", "10.0.0.7:80"] {
            assert_eq!(gateway_url(bound.parse().unwrap()), format!("http://{bound}"));
        }
        for bound in ["0.0.0.0:8080", "[::]:8080"] {
            let url = gateway_url(bound.parse().unwrap());
            assert!(url.ends_with(":8080") && !url.contains(bound), "{url}");
        }
    }
}

//! Whether what spaces send is filtered, as it is said at the command line.

use worker::FirewallMode;

/// `--firewall on` or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Firewall {
    /// Filter, or don't start.
    On,
    /// Don't filter: for a machine without root, and apps that may reach all that it reaches.
    Off,
}

impl From<Firewall> for FirewallMode {
    fn from(firewall: Firewall) -> Self {
        match firewall {
            Firewall::On => Self::On,
            Firewall::Off => Self::Off,
        }
    }
}

/// On where that is possible.
pub(super) async fn where_possible() -> FirewallMode {
    match worker::firewall_works().await {
        Ok(()) => FirewallMode::On,
        Err(_) => FirewallMode::Off,
    }
}

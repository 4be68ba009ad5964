//! What there is on the Docker Engine, seen by its own command.

use std::process::Command;

use serde_json::Value;

use crate::process::{Output, run};

/// What Docker has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A container, running or not.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
}

/// One thing that Docker has.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// All that Docker says of it.
    pub inspected: Value,
}

/// Runs a command of Docker.
#[must_use]
pub fn docker(arguments: &[&str]) -> Output {
    run(Command::new("docker").args(arguments))
}

impl Kind {
    const ALL: [Self; 3] = [Self::Container, Self::Network, Self::Volume];

    const fn word(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Network => "network",
            Self::Volume => "volume",
        }
    }
}

impl Object {
    /// Everything with the label `label`, such as `spaceport.state=0123`, containers first.
    #[must_use]
    pub fn labelled(label: &str) -> Vec<Self> {
        let filter = format!("label={label}");
        Kind::ALL.into_iter().flat_map(|kind| Self::of_kind(kind, &filter)).collect()
    }

    fn of_kind(kind: Kind, filter: &str) -> Vec<Self> {
        let mut list = vec![kind.word(), "ls", "--quiet", "--filter", filter];
        if kind == Kind::Container {
            list.push("--all");
        }
        let listed = docker(&list);
        assert_eq!(listed.code, Some(0), "{listed:?}");
        let inspect = |id| {
            let output = docker(&[kind.word(), "inspect", id]);
            // What is gone by now is not there.
            let inspected: Value = serde_json::from_str(&output.stdout).ok()?;
            Some(Self { kind, inspected: inspected.get(0)?.clone() })
        };
        listed.stdout.lines().filter_map(inspect).collect()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.inspected["Name"].as_str().unwrap_or_default().trim_start_matches('/')
    }

    /// The value of one of its labels; empty if it has none.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        let labels = match self.kind {
            Kind::Container => &self.inspected["Config"]["Labels"],
            Kind::Network | Kind::Volume => &self.inspected["Labels"],
        };
        labels[name].as_str().unwrap_or_default()
    }

    /// Removes it, whatever uses it.
    pub fn remove(&self) {
        let force: &[&str] = match self.kind {
            Kind::Container => &["--force", "--volumes"],
            Kind::Network | Kind::Volume => &[],
        };
        let mut arguments = vec![self.kind.word(), "rm"];
        arguments.extend(force);
        arguments.push(self.name());
        let _ = docker(&arguments);
    }
}

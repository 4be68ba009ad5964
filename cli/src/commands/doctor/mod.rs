//! `spaceport doctor`: what this machine lacks.

mod docker;
mod installation;
mod machine;

use std::{net::SocketAddr, path::PathBuf};

use anyhow::bail;
use serde::Serialize;
use serde_json::json;

use super::Firewall;
use crate::{install::Installation, output, state::State};

/// What is to be run here.
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Where the edge is to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    edge: SocketAddr,
    /// Where the gateway is to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    gateway: SocketAddr,
    /// Where everything is to be kept [default: ~/.local/state/spaceport].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Whether what spaces send is to be filtered.
    #[arg(long, value_name = "on|off", default_value = "on")]
    firewall: Firewall,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    /// As it should be.
    Ok,
    /// Something will be less good.
    Warn,
    /// It will not work.
    Fail,
}

/// What was found in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    /// What was looked at.
    name: &'static str,
    level: Level,
    /// How it is.
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, message: message.into(), fix: None }
    }

    fn warn(name: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, level: Level::Warn, message: message.into(), fix: Some(fix.into()) }
    }

    fn fail(name: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, level: Level::Fail, message: message.into(), fix: Some(fix.into()) }
    }

    fn line(&self) -> String {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        };
        let finding = format!("{level:<5} {:<13} {}", self.name, self.message);
        self.fix.iter().fold(finding, |line, fix| format!("{line}: {fix}"))
    }
}

/// Looks at everything, and fails if anything will not work.
pub(super) async fn run(args: DoctorArgs, is_json: bool) -> anyhow::Result<()> {
    let state = State::at(args.state)?;
    let mut findings = docker::look().await;
    match Installation::find() {
        Ok(installation) => findings.extend(installation::look(&installation)),
        Err(error) => {
            findings.push(Finding::fail("installation", "not found", error.to_string()));
        }
    }
    findings.push(docker::firewall(args.firewall).await);
    findings.push(machine::port("edge port", args.edge, "--edge").await);
    findings.push(machine::port("gateway port", args.gateway, "--gateway").await);
    findings.push(machine::disk(state.folder()));
    findings.push(machine::state(state.folder()));
    findings.push(machine::names().await);
    findings.push(machine::clock(args.edge).await);

    let n_failed = findings.iter().filter(|it| it.level == Level::Fail).count();
    if is_json {
        output::json(&json!({ "ok": n_failed == 0, "checks": findings }))?;
    } else {
        for finding in &findings {
            output::line(finding.line())?;
        }
    }
    match n_failed {
        0 => Ok(()),
        1 => bail!("one thing must be put right first, see above"),
        n => bail!("{n} things must be put right first, see above"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line_with_its_fix() {
        assert_eq!(Finding::ok("disk", "9 GiB free").line(), "ok    disk          9 GiB free");
        let finding = Finding::fail("docker", "no answer", "start it");
        assert_eq!(finding.line(), "fail  docker        no answer: start it");
        let json = serde_json::to_value(finding).unwrap();
        let want = json!({
            "name": "docker", "level": "fail", "message": "no answer", "fix": "start it",
        });
        assert_eq!(json, want);
    }
}

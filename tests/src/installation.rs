//! One installation of the product: a state of its own, cleaned up whatever happens.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    client::Client,
    clock::Clock,
    daemon::free_address,
    docker::Object,
    process::{Output, Process, Program, run},
    warm,
};

/// What a stop may take, by the contract, and what a busy machine adds.
const STOP_TIME_MAX: Duration = Duration::from_secs(8);

/// A free one.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// An installation on a state of its own. When it is dropped, everything it made is removed, which
/// is checked.
#[derive(Debug)]
pub struct Installation {
    folder: TempDir,
    apps: Option<PathBuf>,
    /// Where the edge is to listen.
    edge: SocketAddr,
    /// Where the gateway is to listen.
    gateway: SocketAddr,
    /// Where visitors reach the gateway, if elsewhere.
    gateway_url: Option<String>,
    variables: Vec<(String, String)>,
    /// What `up` is told besides.
    options: Vec<String>,
    /// What it looks at, if not at the clock of the machine.
    clock: Option<Clock>,
    up: Option<Process>,
}

/// The limits that a test would come to that is about something else.
const LIMITS: [&str; 2] = ["rate_general_per_min", "rate_provision_per_hour"];

/// One that is not up, and without limits.
impl Default for Installation {
    fn default() -> Self {
        let unlimited = Self::with_default_limits();
        LIMITS.into_iter().fold(unlimited, |it, name| it.with_variable(name, "0"))
    }
}

impl Installation {
    /// An installation that runs.
    #[must_use]
    pub fn start() -> Self {
        let mut installation = Self::default();
        installation.up();
        installation
    }

    /// One that is not up, with the limits that it has by itself.
    #[must_use]
    pub fn with_default_limits() -> Self {
        let folder = tempfile::Builder::new().prefix("spaceport-e2e-").tempdir().unwrap();
        Self {
            folder,
            apps: None,
            edge: ANY_PORT,
            gateway: ANY_PORT,
            gateway_url: None,
            variables: Vec::new(),
            options: Vec::new(),
            clock: None,
            up: None,
        }
    }

    /// This installation with the app templates in `folder` instead of its own.
    #[must_use]
    pub fn with_apps(mut self, folder: &Path) -> Self {
        self.apps = Some(folder.to_owned());
        self
    }

    /// This installation with an edge that is at the same place after each start.
    #[must_use]
    pub fn with_steady_edge(mut self) -> Self {
        self.edge = free_address();
        self
    }

    /// This installation with an edge and a gateway that are at the same place after each start, and
    /// a proxy by which visitors reach the gateway at `url`.
    #[must_use]
    pub fn behind_a_proxy(mut self, url: &str) -> Self {
        self.gateway = free_address();
        self.gateway_url = Some(url.to_owned());
        self.with_steady_edge()
    }

    /// This installation with an edge and a gateway that listen on every address of the host.
    #[must_use]
    pub fn listening_everywhere(mut self) -> Self {
        let everywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        (self.edge, self.gateway) = (everywhere, everywhere);
        self
    }

    /// This installation with options for `up`.
    #[must_use]
    pub fn with_options(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().copied().map(str::to_owned));
        self
    }

    /// This installation with a variable of the environment.
    #[must_use]
    pub fn with_environment(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// This installation with a clock of its own.
    #[must_use]
    pub fn with_clock(mut self) -> Self {
        self.clock = Some(Clock::new(self.folder.path()));
        self
    }

    /// Its own clock.
    ///
    /// # Panics
    /// If it has none.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        self.clock.as_ref().expect("it has a clock")
    }

    /// This installation with a value for a variable of the edge.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.set_variable(name, value);
        self
    }

    /// Gives a variable of the edge a value from its next start on.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        let name = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
        self.variables.push((name, value.to_owned()));
    }

    /// The folder of its state.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A folder for what a test needs besides.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// What names it on Docker; none before its first start.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        let id = fs::read_to_string(self.state().join("id")).ok()?;
        Some(id.trim().to_owned())
    }

    /// The command that starts it all.
    #[must_use]
    pub fn up_command(&self, program: Program) -> Command {
        warm::warm_up(&self.state());
        let mut command = program.command();
        command.args(["up", "--gateway", &self.gateway.to_string()]);
        if let Some(url) = &self.gateway_url {
            command.args(["--gateway-url", url]);
        }
        if let Some(apps) = &self.apps {
            command.arg("--apps").arg(apps);
        }
        command.args(&self.options);
        self.with_edge(&mut command);
        command
    }

    /// What everything takes that has an edge in it.
    fn with_edge(&self, command: &mut Command) {
        command.args(["--json", "--edge", &self.edge.to_string(), "--state"]).arg(self.state());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(clock) = &self.clock {
            clock.give(command);
        }
    }

    /// Starts it, or starts it again.
    pub fn up(&mut self) {
        let started = Process::start(&mut self.up_command(Program::Plain), &self.log_path());
        self.up = Some(started.unwrap_or_else(|status| {
            panic!("it ended with {status} before it was ready:\n{}", self.log())
        }));
        warm::keep(&self.state());
    }

    /// Starts it so that it is killed when it comes to `failpoint` (`name@n`: for the n-th time).
    ///
    /// # Errors
    /// How it ended, if it came there before it was ready.
    pub fn up_to_failpoint(&mut self, failpoint: &str) -> Result<(), ExitStatus> {
        let mut command = self.up_command(Program::Failpoints);
        command.env("SPACEPORT_FAILPOINT", failpoint);
        self.up = Some(Process::start(&mut command, &self.log_path())?);
        Ok(())
    }

    /// Starts its edge alone so that it is killed when it comes to `failpoint`. Nobody but the caller
    /// asks it anything, so how often it comes there is always the same.
    pub fn edge_to_failpoint(&mut self, failpoint: &str) {
        let mut command = Program::Failpoints.command();
        command.arg("edge").env("SPACEPORT_FAILPOINT", failpoint);
        self.with_edge(&mut command);
        let started = Process::start(&mut command, &self.log_path());
        self.up = Some(started.unwrap_or_else(|status| {
            panic!("{failpoint}: it ended with {status} before it was asked:\n{}", self.log())
        }));
    }

    /// The process that runs it.
    ///
    /// # Panics
    /// If it is not up.
    pub fn process(&mut self) -> &mut Process {
        self.up.as_mut().expect("it is up")
    }

    fn ready(&self, field: &str) -> String {
        let up = self.up.as_ref().expect("it is up");
        up.ready[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", up.ready)).to_owned()
    }

    /// A client of its edge.
    #[must_use]
    pub fn edge(&self) -> Client {
        Client::new(&self.ready("edge"))
    }

    /// Where its gateway is.
    #[must_use]
    pub fn gateway(&self) -> String {
        self.ready("gateway")
    }

    /// Stops it with a SIGTERM, which must work in time and leave no error.
    pub fn stop(&mut self) {
        let Some(mut up) = self.up.take() else { return };
        let status = up.stop(STOP_TIME_MAX);
        let shown = format!("{status:?} after SIGTERM:\n{}", up.log());
        assert!(status.is_some_and(|it| it.success()), "{shown}");
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.up = None;
    }

    /// Runs a command of the product.
    #[must_use]
    pub fn spaceport(&self, arguments: &[&str]) -> Output {
        run(&mut self.command(arguments))
    }

    /// What the operator's audit finds.
    #[must_use]
    pub fn audit(&self) -> Value {
        let state = self.state().display().to_string();
        let output = self.spaceport(&["admin", "audit", "--json", "--state", &state]);
        let found: Value = serde_json::from_str(&output.stdout).expect(&output.stderr);
        let code = i32::from(found["ok"] != true);
        assert_eq!(output.code, Some(code), "{output:?}");
        found
    }

    /// A command of the product, with a wallet of this installation.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Program::Plain.command();
        command.args(arguments).env("SPACEPORT_WALLET", self.folder.path().join("wallet.key"));
        if self.up.is_some() {
            command.env("SPACEPORT_EDGE", self.ready("edge"));
        }
        command
    }

    /// Everything that Docker has of it.
    #[must_use]
    pub fn objects(&self) -> Vec<Object> {
        self.id().map_or_else(Vec::new, |id| Object::labelled(&format!("spaceport.state={id}")))
    }

    /// Where what it logs goes.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        self.folder.path().join("up.log")
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// What cleaning up could not do.
    fn clean_up(&mut self) -> Result<(), String> {
        let mut objections = Vec::new();
        if let Some(mut up) = self.up.take()
            && up.stop(STOP_TIME_MAX).is_none()
        {
            objections.push("it does not stop".to_owned());
        }
        let label = self.id().map(|id| format!("spaceport.state={id}"));
        let state = self.state().display().to_string();
        let down = self.spaceport(&["down", "--state", &state, "--purge", "--json"]);
        if down.code != Some(0) {
            objections.push(format!("down --purge failed: {down:?}"));
        }
        for object in label.map_or_else(Vec::new, |it| Object::labelled(&it)) {
            objections.push(format!("left behind: {:?} {}", object.kind, object.name()));
            object.remove();
        }
        if self.state().exists() {
            objections.push("left behind: the state".to_owned());
        }
        if objections.is_empty() { Ok(()) } else { Err(objections.join("\n")) }
    }
}

impl Drop for Installation {
    #[expect(clippy::print_stderr, reason = "the test that failed shows it")]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- what it logged ---\n{}", self.log());
        }
        match self.clean_up() {
            Err(objections) if thread::panicking() => eprintln!("--- and ---\n{objections}"),
            Err(objections) => panic!("{objections}"),
            Ok(()) => {}
        }
    }
}

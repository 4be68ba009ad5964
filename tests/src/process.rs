//! The product's binary, running.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{home, poll::within};

/// The longest a start may take, on a machine that does much else.
const START_TIME_MAX: Duration = Duration::from_secs(90);

/// Which build of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// What is installed.
    Plain,
    /// The build that can be killed at named places.
    Failpoints,
}

/// A process of the product that serves.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stderr: PathBuf,
    /// What it said when it was ready.
    pub ready: Value,
}

/// What a command that ended said.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Program {
    /// Where the binary is.
    #[must_use]
    pub fn path(self) -> PathBuf {
        let name = match self {
            Self::Plain => "spaceport",
            Self::Failpoints => "spaceport-failpoints",
        };
        let path = home().join("dist").join(name);
        assert!(path.exists(), "there is no {}: run scripts/build", path.display());
        path
    }

    /// A command of the binary, with nothing of this machine's settings for it.
    #[must_use]
    pub fn command(self) -> Command {
        let mut command = Command::new(self.path());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("SPACEPORT_") || text.starts_with("SPIN_VARIABLE_") {
                command.env_remove(&name);
            }
        }
        command.env("SPACEPORT_HOME", home());
        command
    }
}

/// Runs a command to its end.
#[must_use]
pub fn run(command: &mut Command) -> Output {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{shown}: {error}"));
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Output {
    /// The result as JSON; checks that the command succeeded and wrote nothing else.
    #[must_use]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The one line that says why a command failed; checks that it is one and the code.
    #[must_use]
    pub fn failure(&self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "a failure is said in one line: {self:?}");
        lines[0].to_owned()
    }
}

impl Process {
    /// Starts `command`, which says in one line of JSON when it is ready. What it logs goes to the
    /// file `stderr`.
    ///
    /// # Errors
    /// How it ended, if it ended before it was ready.
    pub fn start(command: &mut Command, stderr: &Path) -> Result<Self, ExitStatus> {
        let log = File::options().create(true).append(true).open(stderr).unwrap();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // Nobody waits for later lines.
                let _ = send.send(line);
            }
        });
        let mut process = Self { child, stderr: stderr.to_owned(), ready: Value::Null };
        match lines.recv_timeout(START_TIME_MAX) {
            Ok(line) => {
                process.ready = serde_json::from_str(&line)
                    .unwrap_or_else(|error| panic!("not a line of JSON: {line}: {error}"));
                Ok(process)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(process.child.wait().unwrap()),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                panic!("not ready after {START_TIME_MAX:?}: {}", process.log())
            }
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of what it logged.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read_to_string(&self.stderr).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Asks it to stop, as a service manager does, and waits. None if it does not within `limit`.
    pub fn stop(&mut self, limit: Duration) -> Option<ExitStatus> {
        let pid = Pid::from_child(&self.child);
        if self.child.try_wait().unwrap().is_none() {
            kill_process(pid, Signal::TERM).unwrap();
        }
        self.wait(limit)
    }

    /// Kills it, as a crash does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// How it ended, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// How it ended, if it ends within `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        within(limit, || self.child.try_wait().unwrap())
    }

    /// Whether a process that ended so was killed.
    #[must_use]
    pub fn was_killed(status: ExitStatus) -> bool {
        status.signal() == Some(Signal::KILL.as_raw())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

//! Servers of others, running: what `scripts/setup --tests` put aside for the tests.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::poll::within;

/// The longest one may take to listen, on a machine that does much else.
const START_TIME_MAX: Duration = Duration::from_secs(30);
/// How long one may take to end when it is told to.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command`, which has to listen on `address`. What it says goes to the file `log`.
    pub(crate) fn start(command: &mut Command, address: SocketAddr, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut daemon = Self { child, log: log.to_owned() };
        let listens = within(START_TIME_MAX, || {
            let ended = daemon.child.try_wait().unwrap();
            assert!(ended.is_none(), "{command:?} ended with {ended:?}:\n{}", daemon.log());
            TcpStream::connect(address).ok()
        });
        assert!(listens.is_some(), "{command:?} does not listen:\n{}", daemon.log());
        daemon
    }

    /// What it said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        if within(STOP_TIME_MAX, || self.child.try_wait().ok()?).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Where a program is that `scripts/setup --tests` put aside.
pub(crate) fn tool(path: &str) -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let tool = cache.unwrap().join("spaceport/tools").join(path);
    assert!(tool.exists(), "there is no {}: run scripts/setup --tests", tool.display());
    tool
}

/// An address of this machine that nobody listens on.
#[must_use]
pub fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// `text` with `from` replaced, which must be in it.
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from:?} in:\n{text}");
    text.replace(from, to)
}

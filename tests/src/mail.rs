//! A mail server that keeps what it gets.

use std::{fs, net::SocketAddr, process::Command};

use tempfile::TempDir;

use crate::daemon::{Daemon, free_address, tool};

/// A mail server that runs until it is dropped, without encryption or passwords.
#[derive(Debug)]
pub struct MailServer {
    // Dropped first: it ends before its folder goes.
    _daemon: Daemon,
    folder: TempDir,
    address: SocketAddr,
}

impl MailServer {
    /// Starts it.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("spaceport-mail-").tempdir().unwrap();
        let address = free_address();
        let mut command = Command::new(tool("pypi/bin/python"));
        command.args(["-m", "aiosmtpd", "--nosetuid", "--listen", &address.to_string()]);
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(folder.path().join("box"));
        let daemon = Daemon::start(&mut command, address, &folder.path().join("log"));
        Self { _daemon: daemon, folder, address }
    }

    /// Where it is: `smtp://127.0.0.1:2525`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The mails that came, as they came, in no order.
    #[must_use]
    pub fn mails(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path().join("box/new")).into_iter().flatten();
        files.flatten().map(|it| fs::read_to_string(it.path()).unwrap()).collect()
    }
}

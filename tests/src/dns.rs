//! A resolver of a test's own, with what the test says there is: dnsdist, by HTTP on this machine.

use std::{collections::BTreeMap, fmt::Write as _, fs, net::SocketAddr, process::Command};

use tempfile::TempDir;

use crate::daemon::{Daemon, free_address, tool};

/// A resolver (RFC 8484) that runs until it is dropped. Nobody is asked on its behalf.
#[derive(Debug)]
pub struct Dns {
    // Dropped first: it ends before its folder goes.
    daemon: Option<Daemon>,
    folder: TempDir,
    address: SocketAddr,
    /// The texts at each name.
    texts: BTreeMap<String, Vec<String>>,
    /// What names are other names of.
    aliases: BTreeMap<String, String>,
    is_failing: bool,
}

impl Dns {
    /// Starts one that knows nothing.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("spaceport-dns-").tempdir().unwrap();
        let address = free_address();
        let (texts, aliases) = (BTreeMap::new(), BTreeMap::new());
        let mut dns = Self { daemon: None, folder, address, texts, aliases, is_failing: false };
        dns.restart();
        dns
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/dns-query", self.address)
    }

    /// Writes a text at a name, beside others that are there.
    pub fn add_text(&mut self, name: &str, text: &str) {
        self.texts.entry(name.to_owned()).or_default().push(text.to_owned());
        self.restart();
    }

    /// Makes a name another one.
    pub fn add_alias(&mut self, name: &str, target: &str) {
        self.aliases.insert(name.to_owned(), target.to_owned());
        self.restart();
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.texts.clear();
        self.aliases.clear();
        self.restart();
    }

    /// Has it fail to find out anything (SERVFAIL), or not any longer.
    pub fn set_failing(&mut self, is_failing: bool) {
        self.is_failing = is_failing;
        self.restart();
    }

    /// Ends it; [`Dns::restart`] starts it at the same place.
    pub fn stop(&mut self) {
        self.daemon = None;
    }

    /// Starts it with what there is now.
    pub fn restart(&mut self) {
        self.stop();
        let mut config = format!(
            "setSecurityPollSuffix('')\nsetLocal('{}')\n\
             addDOHLocal('{}', nil, nil, '/dns-query')\n",
            free_address(),
            self.address
        );
        if self.is_failing {
            config.push_str("addAction(AllRule(), RCodeAction(DNSRCode.SERVFAIL))\n");
        }
        for (name, texts) in &self.texts {
            let data: Vec<String> = texts.iter().map(|it| raw(it)).collect();
            let here = format!("AndRule{{QNameRule('{name}.'), QTypeRule(DNSQType.TXT)}}");
            let data = data.join(", ");
            writeln!(config, "addAction({here}, SpoofRawAction({{{data}}}, {{ttl=1}}))").unwrap();
        }
        for (name, target) in &self.aliases {
            let action = format!("SpoofCNAMEAction('{target}.', {{ttl=1}})");
            writeln!(config, "addAction(QNameRule('{name}.'), {action})").unwrap();
        }
        // There is nothing else: NXDOMAIN, with what says how long that may be remembered.
        config.push_str(
            "addAction(AllRule(), NegativeAndSOAAction(true, '.', 1, 'a.', 'b.', 1, 1, 1, 1, 1))\n",
        );
        let file = self.folder.path().join("dnsdist.conf");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(tool("dnsdist/run"));
        command.args(["--supervised", "--disable-syslog", "--config"]).arg(file);
        let log = self.folder.path().join("log");
        self.daemon = Some(Daemon::start(&mut command, self.address, &log));
    }
}

/// A text as it is sent, its length before it; each byte as Lua writes one.
fn raw(text: &str) -> String {
    let length = u8::try_from(text.len()).expect("one string has at most 255 bytes");
    let bytes = std::iter::once(length).chain(text.bytes());
    let escaped: Vec<String> = bytes.map(|it| format!("\\{it:03}")).collect();
    format!("'{}'", escaped.concat())
}

//! A client by HTTPS, as browsers are: `curl`, which tells how long each part took.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::process::run;

/// The longest one request may take, in seconds.
const TIME_MAX: &str = "60";
/// `curl`'s exit code where the handshake fails.
const HANDSHAKE_FAILED: i32 = 35;

/// A client for which every name is at one server.
#[derive(Clone, Debug)]
pub struct Https {
    server: SocketAddr,
    /// Whose certificates are good. None: anybody's.
    authority: Option<PathBuf>,
}

/// What came by HTTPS.
#[derive(Clone, Debug)]
pub struct Secured {
    /// The status code.
    pub status: u16,
    /// The body.
    pub text: String,
    /// How long the handshake took, without the connection before it.
    pub handshake: Duration,
    /// How long the whole of it took.
    pub total: Duration,
}

/// A connection of TLS, through which anything is sent: `openssl s_client`.
#[derive(Debug)]
pub struct Tunnel {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Https {
    /// A client of the server at `server`, whose certificates must be of `authority`.
    #[must_use]
    pub const fn trusting(server: SocketAddr, authority: PathBuf) -> Self {
        Self { server, authority: Some(authority) }
    }

    /// A client of the server at `server` that takes every certificate.
    #[must_use]
    pub const fn trusting_anybody(server: SocketAddr) -> Self {
        Self { server, authority: None }
    }

    /// GETs `path` of the host `host`. Nothing if the server refuses the handshake.
    #[must_use]
    pub fn try_get(&self, host: &str, path: &str) -> Option<Secured> {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--noproxy", "*", "--path-as-is"]);
        command.args(["--max-time", TIME_MAX, "--write-out", "\n%{json}"]);
        command.args(["--connect-to", &format!("::{}", self.server)]);
        match &self.authority {
            Some(authority) => command.arg("--cacert").arg(authority),
            None => command.arg("--insecure"),
        };
        let output = run(command.arg(format!("https://{host}{path}")));
        if output.code == Some(HANDSHAKE_FAILED) {
            return None;
        }
        assert_eq!(output.code, Some(0), "{host}{path}: {output:?}");
        let (text, told) = output.stdout.rsplit_once('\n').unwrap();
        let told: Value = serde_json::from_str(told).unwrap();
        let time = |name: &str| Duration::from_secs_f64(told[name].as_f64().unwrap());
        Some(Secured {
            status: told["http_code"].as_u64().unwrap().try_into().unwrap(),
            text: text.to_owned(),
            handshake: time("time_appconnect").saturating_sub(time("time_connect")),
            total: time("time_total"),
        })
    }

    /// GETs `path` of the host `host`, which must be answered.
    #[must_use]
    pub fn get(&self, host: &str, path: &str) -> Secured {
        self.try_get(host, path).unwrap_or_else(|| panic!("{host}: the handshake was refused"))
    }
}

impl Https {
    /// A connection for the host `host`.
    #[must_use]
    pub fn tunnel(&self, host: &str) -> Tunnel {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-servername", host]);
        command.args(["-connect", &self.server.to_string()]);
        if let Some(authority) = &self.authority {
            command.args(["-verify_return_error", "-verify_hostname", host, "-CAfile"]);
            command.arg(authority);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Tunnel { child, stdin, stdout }
    }
}

impl Tunnel {
    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stdin.write_all(bytes).unwrap();
        self.stdin.flush().unwrap();
    }

    /// The next line, without its end; empty also at the end.
    #[must_use]
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next `len` bytes.
    #[must_use]
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.stdout.read_exact(&mut bytes).unwrap();
        bytes
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

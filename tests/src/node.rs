//! Helpers in Node that are asked in lines of JSON.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use serde_json::Value;

use crate::{poll::within, repository};

/// How long a helper may take to end what it started.
const STOP_TIME_MAX: Duration = Duration::from_secs(10);

/// A process that answers until it is dropped.
#[derive(Debug)]
pub(crate) struct Node(Mutex<Pipes>);

#[derive(Debug)]
struct Pipes {
    child: Child,
    /// None once it was told to end.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Node {
    /// Starts a script of `tests/clients`.
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Self {
        let clients = repository().join("tests/clients");
        let installed = clients.join("node_modules/@x402").exists();
        assert!(installed, "first: npm ci --prefix tests/clients");
        let mut child = Command::new("node")
            .arg(script)
            .args(arguments)
            .current_dir(clients)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self(Mutex::new(Pipes { child, stdin, stdout }))
    }

    /// What it says by itself.
    pub(crate) fn hear(&self) -> Value {
        self.0.lock().unwrap().hear()
    }

    /// What it answers to `request`; it must not be an error.
    pub(crate) fn ask(&self, request: &Value) -> Value {
        let mut pipes = self.0.lock().unwrap();
        writeln!(pipes.stdin.as_mut().expect("it was not told to end"), "{request}").unwrap();
        let answer = pipes.hear();
        assert!(answer["error"].is_null(), "{request}: {answer}");
        answer
    }
}

/// The text in a field of an answer.
pub(crate) fn text(answer: &Value, field: &str) -> String {
    let found = answer[field].as_str();
    found.unwrap_or_else(|| panic!("no {field} in {answer}")).to_owned()
}

impl Pipes {
    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        // It ends with its input, after it ended what it started itself.
        self.stdin = None;
        if within(STOP_TIME_MAX, || self.child.try_wait().ok()?).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

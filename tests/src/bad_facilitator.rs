//! A facilitator that lets its clients down, in one way or another.

use std::{
    io,
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use http::Method;
use serde_json::{Value, json};

use crate::{
    bad_server::{BadServer, Received, write_answer, write_head},
    client::Client,
};

/// What a facilitator does when it is to settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// As the facilitator behind it.
    Forwards,
    /// Its port is closed.
    IsDown,
    /// As the facilitator behind it, whom it asks only after this time.
    Slow(Duration),
    /// Sends the client on to the facilitator behind it, with status 308.
    Redirects,
    /// Answers a page for people with this status.
    Html(u16),
    /// Answers this with this status.
    Answers(u16, Value),
    /// Says that it was not settled, for this reason, and it was not.
    Declines(&'static str),
    /// Closes the connection; nothing was settled.
    Drops,
    /// Has it settled, then closes the connection.
    SettlesAndDrops,
    /// Has it settled, and says so only after this time.
    SettlesSlowly(Duration),
    /// Has it settled, and says that it does not know yet.
    Pending,
    /// Says at once that it was settled, with a transaction that does not exist.
    Instant,
}

/// A server before a facilitator, until it is dropped.
pub struct BadFacilitator {
    server: BadServer,
    shared: Arc<Shared>,
}

struct Shared {
    facilitator: Client,
    conduct: Mutex<Conduct>,
    settles: Mutex<Vec<Received>>,
    n_instant: AtomicU64,
}

impl BadFacilitator {
    /// Starts a server before the facilitator at `url`.
    #[must_use]
    pub fn before(url: &str, conduct: Conduct) -> Self {
        let shared = Arc::new(Shared {
            facilitator: Client::new(url),
            conduct: Mutex::new(Conduct::Forwards),
            settles: Mutex::default(),
            n_instant: AtomicU64::new(1),
        });
        let own = Arc::clone(&shared);
        let server = BadServer::start(move |stream, request| own.serve(stream, request));
        let this = Self { server, shared };
        this.becomes(conduct);
        this
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.origin()
    }

    /// Makes it do so from now on.
    pub fn becomes(&self, conduct: Conduct) {
        if conduct == Conduct::IsDown {
            self.server.close();
        } else {
            self.server.open();
        }
        *self.shared.conduct.lock().unwrap() = conduct;
    }

    /// What it was asked to settle, in the order in which that came.
    #[must_use]
    pub fn settles(&self) -> Vec<Received> {
        self.shared.settles.lock().unwrap().clone()
    }

    /// How often it was asked to settle.
    #[must_use]
    pub fn n_settles(&self) -> usize {
        self.shared.settles.lock().unwrap().len()
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream, request: &Received) -> io::Result<()> {
        if request.line != "POST /settle" {
            return self.forward(stream, request);
        }
        self.settles.lock().unwrap().push(request.clone());
        let conduct = self.conduct.lock().unwrap().clone();
        match conduct {
            // Whoever was connected before it was down is served.
            Conduct::Forwards | Conduct::IsDown => self.forward(stream, request),
            Conduct::Slow(time) => {
                thread::sleep(time);
                self.forward(stream, request)
            }
            Conduct::Redirects => {
                let location = format!("{}/settle", self.facilitator.origin());
                write_head(stream, 308, &[("location", &location)], 0)
            }
            Conduct::Html(status) => {
                write_answer(stream, status, "text/html", "<!doctype html><h1>Welcome</h1>")
            }
            Conduct::Answers(status, answer) => write_json(stream, status, &answer),
            Conduct::Declines(reason) => {
                write_json(stream, 200, &outcome(request, false, reason, ""))
            }
            Conduct::Drops => Ok(()),
            Conduct::SettlesAndDrops => {
                let _ = self.ask(request);
                Ok(())
            }
            Conduct::SettlesSlowly(time) => {
                let (status, answer) = self.ask(request);
                thread::sleep(time);
                write_answer(stream, status, "application/json", &answer)
            }
            Conduct::Pending => {
                let (_, answer) = self.ask(request);
                let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
                let transaction = answer["transaction"].as_str().unwrap_or_default();
                let outcome = outcome(request, false, "settlement_pending", transaction);
                write_json(stream, 200, &outcome)
            }
            Conduct::Instant => {
                let number = self.n_instant.fetch_add(1, Ordering::SeqCst);
                let outcome = outcome(request, true, "", &format!("0x{number:064x}"));
                write_json(stream, 200, &outcome)
            }
        }
    }

    fn forward(&self, stream: &TcpStream, request: &Received) -> io::Result<()> {
        let (status, answer) = self.ask(request);
        write_answer(stream, status, "application/json", &answer)
    }

    /// What the facilitator behind it answers: status and body.
    fn ask(&self, request: &Received) -> (u16, String) {
        let (method, path) = request.line.split_once(' ').expect("a request has a method");
        let sent = self.facilitator.request(method.parse().expect("a method"), path);
        let body = (method == Method::POST.as_str()).then(|| request.body.clone());
        let answer = self.facilitator.send(sent.header("content-type", "application/json"), body);
        (answer.status.as_u16(), answer.text)
    }
}

/// What a facilitator says of a payment.
fn outcome(request: &Received, success: bool, reason: &str, transaction: &str) -> Value {
    let request: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let mut outcome = json!({
        "success": success,
        "transaction": transaction,
        "network": request["paymentRequirements"]["network"],
        "payer": request["paymentPayload"]["payload"]["authorization"]["from"],
    });
    if !success {
        outcome["errorReason"] = reason.into();
    }
    outcome
}

fn write_json(stream: &TcpStream, status: u16, answer: &Value) -> io::Result<()> {
    write_answer(stream, status, "application/json", &answer.to_string())
}

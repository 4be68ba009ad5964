//! Servers of JSON-RPC that let their clients down, each in its way.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::{
    bad_server::{BadServer, write_answer, write_head},
    client::Client,
};

/// Where nobody listens.
pub const NOBODY: &str = "http://127.0.0.1:1";
/// What must not be shown of a server's URL.
pub const NODE_KEY: &str = "k3y-0f-the-n0de";
/// Far more than any answer to a question about one wallet.
const FLOOD_BYTES: usize = 50_000_000;

/// How a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// As the chain behind it.
    Forwards,
    /// As the chain behind it, which says to be this one.
    ClaimsChain(u64),
    /// As the chain behind it, but to one request at a time.
    NoBatches,
    /// As the chain behind it, after 50 MB of nothing.
    Floods,
    /// As the chain behind it, but under ids that nobody asked with.
    OtherIds,
    /// With an empty result, whatever is asked for, once it told its chain.
    Empties,
    /// With an error of the protocol.
    Errors,
    /// With a page for people.
    Html,
    /// With status 500.
    Fails,
    /// With nothing: it closes the connection.
    Closes,
    /// Never.
    Hangs,
}

/// A server before a chain, until it is dropped.
pub struct BadRpc {
    server: BadServer,
    shared: Arc<Shared>,
}

struct Shared {
    chain: Client,
    chain_id: u64,
    behaviour: Mutex<Behaviour>,
    n_requests: AtomicUsize,
}

impl BadRpc {
    /// Starts a server before the chain at `url`, which says `chain_id` unless it is to claim another.
    #[must_use]
    pub fn before(url: &str, chain_id: u64, behaviour: Behaviour) -> Self {
        let shared = Arc::new(Shared {
            chain: Client::new(url),
            chain_id,
            behaviour: Mutex::new(behaviour),
            n_requests: AtomicUsize::new(0),
        });
        let own = Arc::clone(&shared);
        let server = BadServer::start(move |stream, request| own.serve(stream, request.text()));
        Self { server, shared }
    }

    /// Where it is. As with real providers, there is a key in it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/v2/{NODE_KEY}", self.origin())
    }

    /// What may be shown of that.
    #[must_use]
    pub fn origin(&self) -> String {
        self.server.origin()
    }

    /// Makes it answer so from now on.
    pub fn becomes(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// How often it was asked.
    #[must_use]
    pub fn n_requests(&self) -> usize {
        self.shared.n_requests.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn serve(&self, mut stream: &TcpStream, request: &str) -> io::Result<()> {
        self.n_requests.fetch_add(1, Ordering::SeqCst);
        let behaviour = *self.behaviour.lock().unwrap();
        match behaviour {
            Behaviour::Closes => Ok(()),
            Behaviour::Hangs => io::copy(&mut stream, &mut io::sink()).map(|_| ()),
            Behaviour::Floods => self.flood(stream, request),
            Behaviour::Html => {
                write_answer(stream, 200, "text/html", "<!doctype html><h1>Welcome</h1>")
            }
            Behaviour::Fails => write_answer(stream, 500, "text/plain", "internal error"),
            _ => {
                let answer = self.json(request, behaviour).to_string();
                write_answer(stream, 200, "application/json", &answer)
            }
        }
    }

    /// What a server answers that speaks the protocol.
    fn json(&self, request: &str, behaviour: Behaviour) -> Value {
        let request: Value = serde_json::from_str(request).unwrap_or_default();
        if behaviour == Behaviour::NoBatches && request.is_array() {
            let error = json!({ "code": -32600, "message": "batches are not supported" });
            return json!({ "jsonrpc": "2.0", "id": null, "error": error });
        }
        let calls = request.as_array().cloned().unwrap_or_else(|| vec![request.clone()]);
        let mut answers: Vec<Value> = calls.iter().map(|it| self.answer(it, behaviour)).collect();
        if request.is_array() { answers.into() } else { answers.remove(0) }
    }

    fn answer(&self, call: &Value, behaviour: Behaviour) -> Value {
        let result = |it: &str| json!({ "jsonrpc": "2.0", "id": call["id"], "result": it });
        let mut answer = match behaviour {
            Behaviour::Errors => {
                let error = json!({ "code": -32005, "message": "limit exceeded" });
                json!({ "jsonrpc": "2.0", "id": call["id"], "error": error })
            }
            Behaviour::ClaimsChain(id) if call["method"] == "eth_chainId" => {
                result(&format!("{id:#x}"))
            }
            _ if call["method"] == "eth_chainId" => result(&format!("{:#x}", self.chain_id)),
            Behaviour::Empties => result("0x"),
            _ => self.chain.post("/", None, call).json,
        };
        if behaviour == Behaviour::OtherIds {
            answer["id"] = 987_654_321.into();
        }
        answer
    }

    fn flood(&self, mut stream: &TcpStream, request: &str) -> io::Result<()> {
        let answer = self.json(request, Behaviour::Forwards).to_string();
        let length = FLOOD_BYTES + answer.len();
        write_head(stream, 200, &[("content-type", "application/json")], length)?;
        // Whitespace is JSON, so it is the length alone that is wrong with this answer.
        io::copy(&mut io::repeat(b' ').take(FLOOD_BYTES as u64), &mut stream)?;
        stream.write_all(answer.as_bytes())
    }
}

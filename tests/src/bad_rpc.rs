//! Servers of JSON-RPC that let their clients down, each in its way.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use serde_json::{Value, json};

use crate::client::Client;

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
#[derive(Debug)]
pub struct BadRpc {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    chain: Client,
    chain_id: u64,
    behaviour: Mutex<Behaviour>,
    n_requests: AtomicUsize,
    is_stopped: AtomicBool,
}

impl BadRpc {
    /// Starts a server before the chain at `url`, which says `chain_id` unless it is to claim another.
    #[must_use]
    pub fn before(url: &str, chain_id: u64, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            chain: Client::new(url),
            chain_id,
            behaviour: Mutex::new(behaviour),
            n_requests: AtomicUsize::new(0),
            is_stopped: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        let listener = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if own.is_stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&own);
                // Whoever hangs up early is of no interest.
                thread::spawn(move || shared.serve(&stream).ok());
            }
        });
        Self { address, shared, listener: Some(listener) }
    }

    /// Where it is. As with real providers, there is a key in it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/v2/{NODE_KEY}", self.origin())
    }

    /// What may be shown of that.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
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

impl Drop for BadRpc {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::SeqCst);
        // It looks when somebody comes.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let request = read_request(&mut reader)?;
        self.n_requests.fetch_add(1, Ordering::SeqCst);
        let behaviour = *self.behaviour.lock().unwrap();
        match behaviour {
            Behaviour::Closes => return Ok(()),
            Behaviour::Hangs => return io::copy(&mut reader, &mut io::sink()).map(|_| ()),
            Behaviour::Floods => return self.flood(stream, &request),
            _ => {}
        }
        let (status, content_type, body) = match behaviour {
            Behaviour::Html => (200, "text/html", "<!doctype html><h1>Welcome</h1>".to_owned()),
            Behaviour::Fails => (500, "text/plain", "internal error".to_owned()),
            _ => (200, "application/json", self.json(&request, behaviour).to_string()),
        };
        write!(stream_head(stream, status, content_type, body.len())?, "{body}")
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

    fn flood(&self, stream: &TcpStream, request: &str) -> io::Result<()> {
        let answer = self.json(request, Behaviour::Forwards).to_string();
        let length = FLOOD_BYTES + answer.len();
        let mut stream = stream_head(stream, 200, "application/json", length)?;
        // Whitespace is JSON, so it is the length alone that is wrong with this answer.
        io::copy(&mut io::repeat(b' ').take(FLOOD_BYTES as u64), &mut stream)?;
        stream.write_all(answer.as_bytes())
    }
}

fn stream_head<'a>(
    mut stream: &'a TcpStream,
    status: u16,
    content_type: &str,
    length: usize,
) -> io::Result<&'a TcpStream> {
    write!(
        stream,
        "HTTP/1.1 {status} So\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n"
    )?;
    Ok(stream)
}

/// The body of a request.
fn read_request(reader: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut length = Some(0);
    loop {
        let line = read_line(reader)?.to_ascii_lowercase();
        match line.split_once(':').map(|(name, value)| (name, value.trim())) {
            Some(("content-length", value)) => length = value.parse().ok(),
            Some(("transfer-encoding", "chunked")) => length = None,
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let mut body = Vec::new();
    match length {
        Some(length) => {
            reader.take(length).read_to_end(&mut body)?;
        }
        None => read_chunks(reader, &mut body)?,
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn read_chunks(reader: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(reader)?;
        let length = u64::from_str_radix(&line, 16).map_err(io::Error::other)?;
        reader.take(length).read_to_end(body)?;
        read_line(reader)?;
        if length == 0 {
            return Ok(());
        }
    }
}

fn read_line(reader: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

//! A server of HTTP that may let its clients down: what each of them shares.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use http::{HeaderMap, HeaderName, HeaderValue};

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// The method and the target: `POST /settle`.
    pub line: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The body of one that has text.
    ///
    /// # Panics
    /// If it has none.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }
}

/// Serves one request a connection, each on a thread of its own, until it is dropped.
pub(crate) struct BadServer {
    address: SocketAddr,
    handler: Arc<Handler>,
    listener: Mutex<Option<Listener>>,
}

type Handler = dyn Fn(&TcpStream, &Received) -> io::Result<()> + Send + Sync;

struct Listener {
    thread: JoinHandle<()>,
    is_stopped: Arc<AtomicBool>,
}

impl BadServer {
    /// Starts a server on a free port of this machine.
    pub(crate) fn start(
        handler: impl Fn(&TcpStream, &Received) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let handler: Arc<Handler> = Arc::new(handler);
        let listener = Mutex::new(Some(Listener::start(listener, &handler)));
        Self { address, handler, listener }
    }

    /// Where it is.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets nobody in any more: its port is closed.
    pub(crate) fn close(&self) {
        if let Some(listener) = self.listener.lock().unwrap().take() {
            listener.stop(self.address);
        }
    }

    /// Opens the port again, if it was closed.
    pub(crate) fn open(&self) {
        let mut listener = self.listener.lock().unwrap();
        if listener.is_none() {
            let socket = TcpListener::bind(self.address).unwrap();
            *listener = Some(Listener::start(socket, &self.handler));
        }
    }
}

impl Listener {
    fn start(listener: TcpListener, handler: &Arc<Handler>) -> Self {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (handler, stopped) = (Arc::clone(handler), Arc::clone(&is_stopped));
        let thread = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let handler = Arc::clone(&handler);
                // Whoever hangs up early is of no interest.
                thread::spawn(move || handler(&stream, &read_request(&stream).ok()?).ok());
            }
        });
        Self { thread, is_stopped }
    }

    fn stop(self, address: SocketAddr) {
        self.is_stopped.store(true, Ordering::SeqCst);
        // It looks when somebody comes.
        let _ = TcpStream::connect(address);
        let _ = self.thread.join();
    }
}

impl Drop for BadServer {
    fn drop(&mut self) {
        self.close();
    }
}

/// Writes the head of an answer with a body of `length` bytes; the connection ends with it.
pub(crate) fn write_head(
    mut stream: &TcpStream,
    status: u16,
    headers: &[(&str, &str)],
    length: usize,
) -> io::Result<()> {
    write!(stream, "HTTP/1.1 {status} So\r\n")?;
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "content-length: {length}\r\nconnection: close\r\n\r\n")
}

/// Writes a whole answer.
pub(crate) fn write_answer(
    mut stream: &TcpStream,
    status: u16,
    content_type: &str,
    body: &str,
) -> io::Result<()> {
    write_head(stream, status, &[("content-type", content_type)], body.len())?;
    stream.write_all(body.as_bytes())
}

fn read_request(stream: &TcpStream) -> io::Result<Received> {
    let mut reader = BufReader::new(stream);
    let line = read_line(&mut reader)?;
    let line = line.strip_suffix(" HTTP/1.1").unwrap_or(&line).to_owned();
    let mut headers = HeaderMap::new();
    loop {
        let header = read_line(&mut reader)?;
        let Some((name, value)) = header.split_once(':') else { break };
        let name: HeaderName = name.parse().map_err(io::Error::other)?;
        headers.append(name, HeaderValue::from_str(value.trim()).map_err(io::Error::other)?);
    }
    let mut body = Vec::new();
    if headers.contains_key("transfer-encoding") {
        read_chunks(&mut reader, &mut body)?;
    } else {
        let length = headers.get("content-length").and_then(|it| it.to_str().ok()?.parse().ok());
        reader.take(length.unwrap_or(0)).read_to_end(&mut body)?;
    }
    Ok(Received { line, headers, body })
}

fn read_chunks(reader: &mut BufReader<&TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
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

fn read_line(reader: &mut BufReader<&TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

//! Asks a space whether it is ready.

use std::{net::SocketAddr, pin::pin, time::Duration};

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

/// How long a container on this host may take to accept. A packet that is lost while the network
/// is set up would be sent again after a second only: asking anew is faster.
const CONNECT_TIME_MAX: Duration = Duration::from_millis(100);

/// How long the answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);

/// Whether GET `path` at `address` is answered with a status of 200 to 299.
pub(super) async fn answers(address: SocketAddr, path: &str, host: &str) -> bool {
    timeout(ANSWER_TIME_MAX, get(address, path, host)).await.ok().flatten().unwrap_or(false)
}

async fn get(address: SocketAddr, path: &str, host: &str) -> Option<bool> {
    let connecting = timeout(CONNECT_TIME_MAX, TcpStream::connect(address));
    let stream = connecting.await.ok()?.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, "spaceport")
        .body(Empty::<Bytes>::new())
        .ok()?;
    let mut answer = pin!(sender.send_request(request));
    let response = tokio::select! {
        response = answer.as_mut() => response,
        // It may have ended just after it brought the answer.
        _ = connection => answer.await,
    };
    Some(response.ok()?.status().is_success())
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// Whether a server that answers this, and closes, is ready.
    async fn is_ready(answer: &'static str) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let len = stream.read(&mut request).await.unwrap();
            assert!(request[..len].starts_with(b"GET /ready HTTP/1.1\r\nhost: garden.localhost"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let is_ready = answers(address, "/ready", "garden.localhost").await;
        server.await.unwrap();
        is_ready
    }

    #[tokio::test]
    async fn only_a_good_answer_is_ready() {
        #[rustfmt::skip]
        let rows = [
            ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nok",       true),
            ("HTTP/1.0 204 No Content\r\n\r\n",                       true),
            ("HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n",            false),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n",              false),
            ("SSH-2.0-OpenSSH\r\n",                                    false),
            ("",                                                       false),
        ];
        for (answer, want) in rows {
            // Often enough to see both orders of answer and end.
            for _ in 0..20 {
                assert_eq!(is_ready(answer).await, want, "{answer:?}");
            }
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_nobody_is_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(!answers(address, "/", "garden.localhost").await);
    }
}

//! One request to a container of this host.

use std::{error::Error, io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

/// How long an answer may take, connecting and its body included.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// How much of the body of an answer is read, in bytes.
const BODY_LEN_MAX: usize = 64 * 1024;

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The beginning of the body, 64 KiB at most.
    pub(crate) body: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Nobody listens.
    #[error("nobody listens on its port")]
    Connect(#[source] io::Error),
    /// What came is no answer, or breaks off.
    #[error("what it answers is no HTTP")]
    Http(#[source] hyper::Error),
    /// It takes too long.
    #[error("it did not answer within {} s", ANSWER_TIME_MAX.as_secs())]
    TimedOut,
}

/// Sends `request`, whose target is a path, to `address`. No redirection is followed.
pub(crate) async fn ask(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<Answer, AskError> {
    timeout(ANSWER_TIME_MAX, send(address, request)).await.unwrap_or(Err(AskError::TimedOut))
}

async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer, AskError> {
    let stream = TcpStream::connect(address).await.map_err(AskError::Connect)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(AskError::Http)?;
    // Ends with `sender` and the body.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            let error: &dyn Error = &error;
            tracing::debug!(error, "a connection to a space broke off");
        }
    });
    let response = sender.send_request(request).await.map_err(AskError::Http)?;
    let status = response.status();
    let body = beginning(response.into_body()).await.map_err(AskError::Http)?;
    Ok(Answer { status, body })
}

async fn beginning(mut body: Incoming) -> Result<String, hyper::Error> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        read.extend_from_slice(&data[..data.len().min(BODY_LEN_MAX - read.len())]);
        if read.len() == BODY_LEN_MAX {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&read).into_owned())
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    fn request() -> Request<Full<Bytes>> {
        Request::post("/in").header("host", "garden.localhost").body(Full::from("{}")).unwrap()
    }

    /// What becomes of a server that answers this, and closes.
    async fn asked(answer: String) -> Result<(u16, usize), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let len = stream.read(&mut request).await.unwrap();
            assert!(request[..len].starts_with(b"POST /in HTTP/1.1\r\nhost: garden.localhost"));
            // Who has read enough does not wait for the rest.
            let _ = stream.write_all(answer.as_bytes()).await;
        });
        let answer = ask(address, request()).await;
        answer.map(|it| (it.status.as_u16(), it.body.len())).map_err(|it| it.to_string())
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_its_limit() {
        let long = "x".repeat(1 << 20);
        let no_http = "what it answers is no HTTP";
        #[rustfmt::skip]
        let rows = [
            ("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok".to_owned(),     Ok((201, 2))),
            ("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n".to_owned(), Ok((302, 0))),
            (format!("HTTP/1.1 500 No\r\ncontent-length: 1048576\r\n\r\n{long}"),   Ok((500, BODY_LEN_MAX))),
            (format!("HTTP/1.0 200 OK\r\n\r\n{long}"),                              Ok((200, BODY_LEN_MAX))),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok".to_owned(),           Err(no_http.to_owned())),
            ("SSH-2.0-OpenSSH\r\n".to_owned(),                                      Err(no_http.to_owned())),
            (String::new(),                                                         Err(no_http.to_owned())),
        ];
        for (answer, want) in rows {
            let shown: String = answer.chars().take(50).collect();
            assert_eq!(asked(answer).await, want, "{shown:?}");
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_nobody_answers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = ask(address, request()).await.unwrap_err();
        assert_eq!(error.to_string(), "nobody listens on its port");
    }
}

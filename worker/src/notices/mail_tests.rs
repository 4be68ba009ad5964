//! Mails to a real server.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use mailin::{Action, AuthMechanism, Handler, Response, SessionBuilder, response};

use super::*;

/// A mail server without encryption, and what it got.
#[derive(Clone)]
struct Server {
    received: Arc<Mutex<Vec<u8>>>,
    /// What it answers to who a mail is for.
    to_recipient: Response,
    /// Whether it takes mails of those alone who know a password, which nobody does.
    wants_password: bool,
}

impl Handler for Server {
    fn rcpt(&mut self, _: &str) -> Response {
        self.to_recipient.clone()
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.received.lock().unwrap().extend(line);
        Ok(())
    }
}

impl Server {
    /// Starts one that answers so to who a mail is for. Says where it is.
    fn start(to_recipient: Response, wants_password: bool) -> (Self, String) {
        let server = Self { received: Arc::default(), to_recipient, wants_password };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that leaves is no matter.
                let _ = serving.serve(&stream.unwrap());
            }
        });
        (server, address)
    }

    fn serve(&self, mut stream: &TcpStream) -> io::Result<()> {
        let mut builder = SessionBuilder::new("mail.example.org");
        if self.wants_password {
            builder.enable_auth(AuthMechanism::Plain).insecure_enable_plaintext_auth();
        }
        let mut session = builder.build(stream.peer_addr()?.ip(), self.clone());
        let mut lines = BufReader::new(stream.try_clone()?);
        stream.write_all(&session.greeting().buffer()?)?;
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? != 0 {
            let answer = session.process(&line);
            stream.write_all(&answer.buffer()?)?;
            if answer.action == Action::Close {
                break;
            }
            line.clear();
        }
        Ok(())
    }
}

fn delivery() -> Delivery {
    Delivery {
        id: "ntc-1".to_owned(),
        channel: Channel::Email,
        target: "owner@example.org".to_owned(),
        subject: "Gärten & Freunde".to_owned(),
        body: "Grüße, 花園.\n.\nZwei Zeilen.\n".to_owned(),
        headers: Vec::new(),
        may_be_loopback: true,
    }
}

async fn send(url: &str, delivery: &Delivery) -> Result<(), Problem> {
    let mail = Mail::new(url, "Spaceport <notices@example.net>").unwrap();
    deliver(delivery, Some(&mail)).await
}

/// The bytes that quoted-printable text stands for. Source: RFC 2045 §6.7.
fn unquoted(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'=' {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap();
            out.push(u8::from_str_radix(digits, 16).unwrap());
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let (server, address) = Server::start(response::OK, false);
    assert_eq!(send(&format!("smtp://{address}"), &delivery()).await, Ok(()));
    let mail = String::from_utf8(server.received.lock().unwrap().clone()).unwrap();
    let (headers, body) = mail.split_once("\r\n\r\n").unwrap();
    for want in [
        "From: Spaceport <notices@example.net>",
        "To: owner@example.org",
        "Message-ID: <ntc-1@example.net>",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
    ] {
        assert!(headers.lines().any(|it| it == want), "{want}:\n{headers}");
    }
    assert!(headers.contains("Subject: =?utf-8?b?R8OkcnRlbg==?="), "{headers}");
    let body = if headers.contains("base64") {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap()
    } else {
        unquoted(body)
    };
    assert_eq!(body.replace("\r\n", "\n").trim_end(), delivery().body.trim_end());
}

#[tokio::test]
async fn nobody_writes_headers_of_their_own() {
    let (server, address) = Server::start(response::OK, false);
    let url = format!("smtp://{address}");
    let evil = |at: &str| format!("{at}\r\nBcc: other@example.org\r\nX-Evil: 1");
    for delivery in [
        Delivery { subject: evil("Hello"), ..delivery() },
        Delivery { id: evil("ntc-1"), ..delivery() },
    ] {
        let before = server.received.lock().unwrap().len();
        assert_eq!(send(&url, &delivery).await, Ok(()));
        assert!(before < server.received.lock().unwrap().len(), "it was sent, and is harmless");
    }
    let mail = String::from_utf8(server.received.lock().unwrap().clone()).unwrap();
    let is_evil = |it: &str| it.starts_with("Bcc:") || it.starts_with("X-Evil:");
    assert!(!mail.lines().any(is_evil), "{mail}");
    let target = Delivery { target: evil("owner@example.org"), ..delivery() };
    assert!(send(&url, &target).await.is_err_and(|it| it.is_final));
}

#[tokio::test]
async fn only_what_the_server_will_never_take_is_final() {
    let custom = |code| Response::custom(code, "<owner@example.org> and more".to_owned());
    #[rustfmt::skip]
    let rows = [
        (custom(550), "",          true),
        (custom(450), "",          false),
        // Not the tenant's fault: the operator's password is wrong.
        (response::OK, "a:wrong@", false),
    ];
    for (answer, user, is_final) in rows {
        let (server, address) = Server::start(answer, !user.is_empty());
        let problem = send(&format!("smtp://{user}{address}"), &delivery()).await.unwrap_err();
        assert_eq!(problem.is_final, is_final, "{problem:?}");
        assert!(!problem.text.contains('@'), "{problem:?}");
        assert!(server.received.lock().unwrap().is_empty());
    }
    // There is no encryption here, so nothing is said in the clear.
    let (server, address) = Server::start(response::OK, false);
    let url = format!("smtp://{address}?tls=required");
    assert!(send(&url, &delivery()).await.is_err_and(|it| !it.is_final));
    assert!(server.received.lock().unwrap().is_empty());
    // Nor is there anybody at this port.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = send(&format!("smtp://{free}"), &delivery()).await;
    assert!(gone.is_err_and(|it| !it.is_final));
}

//! The gateway over loopback, between clients that write bytes and a small space.

mod credentials;
mod forwarding;
mod notices;
mod space;
mod tickets;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::{SpaceId, Timestamp};
use fleet::Ticket;
use futures::{FutureExt as _, future::BoxFuture, stream::BoxStream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{Gateway, GatewayOptions};
use crate::{
    credentials::{CredentialSource, Credentials, CredentialsError, TicketUse},
    logs::{LogError, LogSource},
    routes::{Route, RouteEntry, Routes},
};

const TICKET_KEY: [u8; 32] = [3; 32];

fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_795_000_000_000)
}

fn space_id() -> SpaceId {
    SpaceId::new(now(), [1; 10])
}

/// Logs that say what was asked for.
struct EchoLogs;

impl LogSource for EchoLogs {
    fn logs(
        &self,
        space: &SpaceId,
        service: Option<&str>,
        tail: u32,
        follow: bool,
    ) -> BoxStream<'static, Result<Bytes, LogError>> {
        let line = format!("{space} {service:?} {tail} {follow}\n");
        Box::pin(futures::stream::iter([Ok(line.into())]))
    }
}

/// Credentials of the space that has the gateway's routes, which the first ticket takes.
#[derive(Default)]
struct OneAdmin(Mutex<Option<TicketUse>>);

impl CredentialSource for OneAdmin {
    fn take<'a>(
        &'a self,
        space: &'a SpaceId,
        ticket: &'a TicketUse,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        let result = if *space == space_id() {
            let mut holder = self.0.lock().unwrap();
            let holder = holder.get_or_insert_with(|| ticket.clone());
            let credentials = Credentials {
                username: "admin@garden.localhost".to_owned(),
                password: "\"open\"".to_owned(),
                url: "http://garden.localhost:8080".to_owned(),
            };
            let until = holder.until;
            if holder == ticket { Ok(credentials) } else { Err(CredentialsError::Taken { until }) }
        } else {
            Err(match space.as_str().as_bytes().last() {
                Some(b'2') => CredentialsError::NotReady,
                Some(b'3') => CredentialsError::None,
                _ => CredentialsError::Unavailable("the disk is gone".into()),
            })
        };
        async move { result }.boxed()
    }
}

/// A gateway and what it did.
struct Bench {
    gateway: Gateway,
    routes: Routes,
    looked_again: Arc<Mutex<Vec<SpaceId>>>,
}

impl Bench {
    async fn new() -> Self {
        let routes = Routes::default();
        let looked_again: Arc<Mutex<Vec<SpaceId>>> = Arc::default();
        let record = Arc::clone(&looked_again);
        let gateway = Gateway::start(GatewayOptions {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            ticket_key: tokio::sync::watch::channel(TICKET_KEY).1,
            is_https: false,
            routes: routes.clone(),
            logs: Arc::new(EchoLogs),
            credentials: Arc::new(OneAdmin::default()),
            look_again: Arc::new(move |space| record.lock().unwrap().push(space.clone())),
            now,
        });
        Self { gateway: gateway.unwrap(), routes, looked_again }
    }

    /// A bench whose `garden.localhost` is the small space.
    async fn with_space() -> Self {
        let bench = Self::new().await;
        bench.route(Route::Ready { upstream: space::start().await });
        bench
    }

    /// What becomes of requests for `garden.localhost`.
    fn route(&self, route: Route) {
        let hosts = ["garden.localhost".to_owned()];
        self.routes.set(&hosts, RouteEntry { space: space_id(), route });
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.gateway.addr()).await.unwrap()
    }

    /// The whole answer to one request: its head in lines, its body after an empty one.
    async fn ask(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // What was read up to an error is the answer to a request that broke off.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    /// The answer to a GET for `garden.localhost` with more header lines.
    async fn get(&self, path: &str, more: &str) -> String {
        let head = format!("GET {path} HTTP/1.1\r\nHost: garden.localhost\r\n{more}");
        self.ask(&format!("{head}Connection: close\r\n\r\n")).await
    }

    fn looked_again(&self) -> Vec<SpaceId> {
        self.looked_again.lock().unwrap().clone()
    }
}

fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {answer:?}"));
    status.parse().unwrap()
}

/// The value of the header `name`, in lower case, of an answer.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    head.lines().find_map(|it| it.strip_prefix(name)?.strip_prefix(": "))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// Reads from `stream` until `text` was read.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(text) {
        let mut buffer = [0; 1024];
        let len = stream.read(&mut buffer).await.unwrap();
        assert_ne!(len, 0, "ended before {text:?}: {:?}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..len]);
    }
    String::from_utf8(seen).unwrap()
}

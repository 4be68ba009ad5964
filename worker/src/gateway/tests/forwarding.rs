//! Requests to a space that is ready.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{Bench, body, header, read_until, space_id, status};
use crate::routes::Route;

#[tokio::test]
async fn a_request_goes_through_as_it_is_and_says_where_it_came_from() {
    let bench = Bench::with_space().await;
    let answer = bench
        .ask(
            "POST /a%20b/../c?x=1&y=%2F HTTP/1.1\r\nHost: Garden.localhost:8080\r\n\
             X-Own: kept\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n\
             X-Forwarded-Host: evil\r\nForwarded: for=10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\n\
             TE: trailers\r\nKeep-Alive: 1\r\nX-Private: 1\r\nContent-Length: 2\r\n\
             Connection: close, X-Private\r\n\r\nhi",
        )
        .await;
    assert_eq!(status(&answer), 200);
    let mut lines: Vec<&str> = body(&answer).lines().collect();
    assert_eq!(lines.remove(0), "POST /a%20b/../c?x=1&y=%2F HTTP/1.1");
    lines.sort_unstable();
    let want = [
        "content-length: 2",
        "host: Garden.localhost:8080",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: Garden.localhost:8080",
        "x-forwarded-proto: http",
        "x-own: kept",
    ];
    assert_eq!(lines, want);
}

#[tokio::test]
async fn an_answer_comes_without_what_is_about_the_spaces_connection() {
    let bench = Bench::with_space().await;
    let answer = bench.get("/hop-by-hop", "").await;
    assert_eq!(header(&answer, "x-public"), Some("1"));
    assert_eq!(header(&answer, "keep-alive"), None);
    assert_eq!(header(&answer, "x-private"), None);
    assert_eq!(body(&answer), "ok");
}

#[tokio::test]
async fn http_2_reaches_a_space_that_speaks_http_1() {
    let bench = Bench::with_space().await;
    let io = TokioIo::new(bench.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://garden.localhost/x")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Full::new(Bytes::new()));
    let response = sender.send_request(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let shown = response.into_body().collect().await.unwrap().to_bytes();
    let shown = String::from_utf8(shown.into()).unwrap();
    assert!(shown.starts_with("GET /x HTTP/1.1\n"), "{shown}");
    assert!(shown.contains("\nhost: garden.localhost\n"), "{shown}");
    assert!(shown.contains("\ncookie: a=1; b=2\n"), "{shown}");
}

#[tokio::test]
async fn the_first_part_of_an_answer_comes_before_the_last() {
    let bench = Bench::with_space().await;
    let mut stream = bench.connect().await;
    stream.write_all(b"GET /first-part HTTP/1.1\r\nHost: garden.localhost\r\n\r\n").await.unwrap();
    read_until(&mut stream, "first;").await;
}

#[tokio::test]
async fn an_upload_is_carried_whole() {
    let bench = Bench::with_space().await;
    let len = 1024 * 1024;
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: garden.localhost\r\nExpect: 100-continue\r\n\
         Content-Length: {len}\r\nConnection: close\r\n\r\n"
    );
    let mut stream = bench.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
    stream.write_all(&vec![7; len]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(body(&answer), format!("{len} bytes"));
}

#[tokio::test]
async fn an_upgraded_connection_is_a_tunnel_until_the_gateway_stops() {
    let bench = Bench::with_space().await;
    let mut stream = bench.connect().await;
    stream
        .write_all(
            b"GET /upgrade HTTP/1.1\r\nHost: garden.localhost\r\n\
              Connection: Upgrade\r\nUpgrade: echo\r\n\r\n",
        )
        .await
        .unwrap();
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert_eq!(status(&head), 101);
    assert_eq!(header(&head, "upgrade"), Some("echo"));
    for word in ["one", "two"] {
        stream.write_all(word.as_bytes()).await.unwrap();
        assert_eq!(read_until(&mut stream, word).await, word);
    }
    bench.gateway.stop().await;
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0, "the tunnel has ended");
}

#[tokio::test]
async fn an_upgrade_that_nobody_asked_for_is_no_answer() {
    let bench = Bench::with_space().await;
    assert_eq!(status(&bench.get("/unasked-upgrade", "").await), 502);
}

#[tokio::test]
async fn an_answer_that_breaks_off_breaks_off_at_the_client() {
    let bench = Bench::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    bench.route(Route::Ready { upstream: listener.local_addr().unwrap() });
    let mut client = bench.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nHost: garden.localhost\r\n\r\n").await.unwrap();

    let (mut space, _) = listener.accept().await.unwrap();
    read_until(&mut space, "\r\n\r\n").await;
    let begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst;\r\n";
    space.write_all(begin).await.unwrap();
    read_until(&mut client, "first;").await;
    drop(space);

    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest).await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "it must not look complete");
}

#[tokio::test]
async fn a_space_that_takes_no_connection_is_looked_at_again() {
    let bench = Bench::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = listener.local_addr().unwrap();
    drop(listener);
    bench.route(Route::Ready { upstream });
    let answer = bench.get("/", "Accept: application/json\r\n").await;
    assert_eq!(status(&answer), 502);
    assert!(body(&answer).contains("space-unreachable"), "{answer}");
    assert_eq!(bench.looked_again(), [space_id()]);
}

/// A space that answers the first request on each connection and closes it on the second one, as
/// one does that has just found the connection idle for too long.
async fn forgetful_space() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                read_until(&mut stream, "\r\n\r\n").await;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                let _ = stream.read(&mut [0; 1024]).await;
            });
        }
    });
    addr
}

#[tokio::test]
async fn a_read_is_sent_again_when_a_kept_connection_turns_out_closed() {
    #[rustfmt::skip]
    let rows = [
        ("GET / HTTP/1.1\r\n",                          200),
        // What may change something is not repeated.
        ("POST / HTTP/1.1\r\nContent-Length: 0\r\n",    502),
    ];
    for (line, want) in rows {
        let bench = Bench::new().await;
        bench.route(Route::Ready { upstream: forgetful_space().await });
        let request = format!("{line}Host: garden.localhost\r\n\r\n");
        let mut stream = bench.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        read_until(&mut stream, "ok").await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_until(&mut stream, "\r\n\r\n").await;
        assert_eq!(status(&answer), want, "{line}");
    }
}

#[tokio::test]
async fn a_stopping_gateway_finishes_what_it_has_begun() {
    let bench = Bench::with_space().await;
    let addr = bench.gateway.addr();
    let mut upload = bench.connect().await;
    let head = "POST /upload HTTP/1.1\r\nHost: garden.localhost\r\n\
                Expect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    upload.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut upload, "100 Continue\r\n\r\n").await;
    let mut idle = bench.connect().await;

    let stopping = tokio::spawn(bench.gateway.stop());
    assert_eq!(idle.read(&mut [0; 8]).await.unwrap_or(0), 0, "an idle connection is closed");
    upload.write_all(b"hi").await.unwrap();
    read_until(&mut upload, "2 bytes").await;
    stopping.await.unwrap();
    assert!(tokio::net::TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_body_that_is_none_is_the_visitors_fault() {
    let bench = Bench::with_space().await;
    let head = "POST / HTTP/1.1\r\nHost: garden.localhost\r\nTransfer-Encoding: chunked\r\n";
    let malformed = bench.ask(&format!("{head}Connection: close\r\n\r\nZZ\r\n")).await;
    assert_eq!(status(&malformed), 400, "{malformed}");
    assert_eq!(bench.looked_again(), []);
}

//! A small space: a web service that shows what it was sent and does what its path says.

use std::{convert::Infallible, fmt::Write as _, net::SocketAddr};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// Starts one; it ends with the test.
pub(super) async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|it| async { Ok::<_, Infallible>(answer(it).await) });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::spawn(connection);
        }
    });
    addr
}

async fn answer(request: Request<Incoming>) -> Response<Body> {
    match request.uri().path() {
        "/hop-by-hop" => {
            let mut response = text("ok");
            let headers = response.headers_mut();
            headers.insert("keep-alive", HeaderValue::from_static("timeout=5"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("x-private"));
            headers.insert("x-private", HeaderValue::from_static("1"));
            headers.insert("x-public", HeaderValue::from_static("1"));
            response
        }
        // Its second part never comes.
        "/first-part" => {
            let first = stream::iter([Ok(Frame::data(Bytes::from_static(b"first;")))]);
            Response::new(Body::new(StreamBody::new(first.chain(stream::pending()))))
        }
        "/upload" => {
            let len = request.into_body().collect().await.unwrap().to_bytes().len();
            text(&format!("{len} bytes"))
        }
        "/upgrade" => upgrade(request),
        "/unasked-upgrade" => switching("surprise"),
        _ => text(&shown(&request)),
    }
}

/// The request line and headers of a request.
fn shown(request: &Request<Incoming>) -> String {
    let mut lines = format!("{} {} {:?}\n", request.method(), request.uri(), request.version());
    for (name, value) in request.headers() {
        writeln!(lines, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    lines
}

/// Changes to the protocol `echo`, which sends back all it gets.
fn upgrade(mut request: Request<Incoming>) -> Response<Body> {
    let connection = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut connection = TokioIo::new(connection.await.unwrap());
        let mut buffer = [0; 64];
        while let Ok(len @ 1..) = connection.read(&mut buffer).await {
            connection.write_all(&buffer[..len]).await.unwrap();
        }
    });
    switching("echo")
}

fn switching(protocol: &'static str) -> Response<Body> {
    let mut response = text("");
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static(protocol));
    response
}

fn text(text: &str) -> Response<Body> {
    let body = Full::new(Bytes::copy_from_slice(text.as_bytes()));
    Response::new(body.map_err(|never| match never {}).boxed_unsync())
}

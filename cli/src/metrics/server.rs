//! Where Prometheus reads what is counted: a place of its own, since the gateway is for strangers.

use std::{convert::Infallible, io, net::SocketAddr};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use prometheus_client::encoding::text::encode;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Register, registry};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers `GET /metrics` until it is dropped.
#[derive(Debug)]
pub(crate) struct MetricsServer {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl MetricsServer {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// If that is taken, or not this machine's.
    pub(super) async fn start(
        address: SocketAddr,
        halves: &'static [Register],
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            loop {
                // One that can't be taken, for want of files, say, is no reason to end.
                let Ok((stream, _)) = listener.accept().await else {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    continue;
                };
                let service =
                    service_fn(async |request| Ok::<_, Infallible>(answer(&request, halves)));
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        });
        Ok(Self { address, serving })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn answer(request: &Request<Incoming>, halves: &[Register]) -> Response<Full<Bytes>> {
    if request.uri().path() != "/metrics" || request.method() != Method::GET {
        return with_status(StatusCode::NOT_FOUND);
    }
    let mut text = String::new();
    if encode(&mut text, &registry(halves)).is_err() {
        return with_status(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let mut response = Response::new(Full::from(text));
    let kind = header::HeaderValue::from_static(CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn with_status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[tokio::test]
    async fn what_is_counted_can_be_read() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let halves: &[Register] =
            &[|registry| registry.register("tests", "Of a half", Counter::<u64>::default())];
        let server = MetricsServer::start("127.0.0.1:0".parse().unwrap(), halves).await.unwrap();
        let at = |path: &str| format!("http://{}{path}", server.address());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(at("/metrics")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        for name in [
            "spaceport_build_info{version=",
            "spaceport_process_cpu_seconds_total",
            "spaceport_process_resident_memory_bytes",
            "spaceport_process_open_fds",
            "spaceport_tests_total 0",
            "# EOF",
        ] {
            assert!(text.contains(name), "{name} in:\n{text}");
        }
        assert_eq!(client.get(at("/")).send().await.unwrap().status(), 404);
    }
}

//! Connections to other hosts, and which addresses are not for wildcards.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{
    self,
    connect::{HttpConnector, dns::Name},
};
use rustls::crypto::ring;
use tower_service::Service;
use wasmtime_wasi_http::Error;

use crate::limits::CONNECT_TIME_MAX;

/// TCP, or TLS over it.
pub(super) type Connector = HttpsConnector<HttpConnector<Resolver>>;

/// One for each kind of grant.
pub(crate) struct Connectors {
    pub(super) any: Connector,
    pub(super) public: Connector,
}

impl Connectors {
    /// Sets TLS up, with the certificate authorities that browsers trust.
    ///
    /// # Errors
    /// If rustls refuses its own defaults.
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        let connector = |is_public_only| {
            let mut tcp = HttpConnector::new_with_resolver(Resolver { is_public_only });
            tcp.enforce_http(false);
            tcp.set_nodelay(true);
            tcp.set_connect_timeout(Some(CONNECT_TIME_MAX));
            let tls = HttpsConnectorBuilder::new()
                .with_provider_and_webpki_roots(ring::default_provider())?;
            Ok::<_, rustls::Error>(tls.https_or_http().enable_http1().wrap_connector(tcp))
        };
        Ok(Self { any: connector(false)?, public: connector(true)? })
    }
}

/// The system's resolver, less the private addresses if so asked.
#[derive(Clone)]
pub(super) struct Resolver {
    is_public_only: bool,
}

/// A name has private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address outside private networks")]
struct PrivateOnly;

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let is_public_only = self.is_public_only;
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let usable: Vec<_> =
                found.into_iter().filter(|it| !is_public_only || is_public(it.ip())).collect();
            if usable.is_empty() {
                Err(io::Error::other(PrivateOnly))
            } else {
                Ok(usable.into_iter())
            }
        })
    }
}

/// Whether the host is an address, and a private one. Those are not resolved.
pub(super) fn is_private_literal(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or("").trim_start_matches('[').trim_end_matches(']');
    host.parse().is_ok_and(|it| !is_public(it))
}

/// Whether `address` is on the public internet.
///
/// Source: the IANA special-purpose address registries.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => is_public_v4(it),
        IpAddr::V6(it) => match embedded_v4(it) {
            Some(embedded) => is_public_v4(embedded),
            // Global unicast, less the documentation range.
            None => it.segments()[0] & 0xe000 == 0x2000 && it.segments()[..2] != [0x2001, 0xdb8],
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_shared = a == 100 && b & 0xc0 == 64;
    let is_protocol_assignment = a == 192 && b == 0 && c == 0;
    let is_benchmark = a == 198 && b & 0xfe == 18;
    !(a == 0
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || is_shared
        || is_protocol_assignment
        || is_benchmark
        || 240 <= a)
}

/// The IPv4 address within a mapped, NAT64 or 6to4 one.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let at = |start: usize| {
        Ipv4Addr::new(octets[start], octets[start + 1], octets[start + 2], octets[start + 3])
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => Some(at(12)),
        [0x2002, ..] => Some(at(2)),
        _ => None,
    }
}

/// What a guest is told when an exchange failed.
pub(super) fn error(error: legacy::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(it) = cause {
        if let Some(io) = it.downcast_ref::<io::Error>() {
            if io.get_ref().is_some_and(|it| it.is::<PrivateOnly>()) {
                return Error::DestinationIpProhibited;
            }
            // Who reads that no connection came to be may take it that nothing was sent.
            return match io.kind() {
                _ if !error.is_connect() => Error::ConnectionTerminated,
                io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
                io::ErrorKind::TimedOut => Error::ConnectionTimeout,
                _ => Error::Connect(io::Error::new(io.kind(), io.to_string())),
            };
        }
        if it.is::<rustls::Error>() && error.is_connect() {
            return Error::TlsProtocolError;
        }
        cause = it.source();
    }
    if error.is_connect() { Error::DestinationUnavailable } else { Error::HttpProtocolError }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_addresses_are_public() {
        let rows = [
            ("1.1.1.1", true),
            ("172.32.0.1", true),
            ("100.128.0.1", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700::1111", true),
            ("::1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("2001:db8::1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:1.1.1.1", true),
            ("64:ff9b::10.0.0.1", false),
            ("2002:7f00:1::", false),
        ];
        for (text, want) in rows {
            assert_eq!(is_public(text.parse().unwrap()), want, "{text}");
        }
    }

    #[test]
    fn which_hosts_are_private_literals() {
        let rows = [
            ("http://127.0.0.1/", true),
            ("http://[::1]:80/", true),
            ("http://1.1.1.1/", false),
            ("http://localhost/", false),
        ];
        for (uri, want) in rows {
            assert_eq!(is_private_literal(&uri.parse().unwrap()), want, "{uri}");
        }
    }
}

//! Running the halves of the product in this process.

mod edge;
mod host_key;
mod stack;
mod variables;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub(crate) use edge::RunningEdge;
pub(crate) use stack::{Stack, StackOptions};

/// How a process on this machine reaches what listens on `addr`.
pub(crate) fn url_of(addr: SocketAddr) -> String {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, addr.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everywhere_is_reached_at_the_loopback_address() {
        #[rustfmt::skip]
        let rows = [
            ("127.0.0.1:3000",   "http://127.0.0.1:3000"),
            ("0.0.0.0:3000",     "http://127.0.0.1:3000"),
            ("[::]:80",          "http://[::1]:80"),
            ("192.0.2.7:80",     "http://192.0.2.7:80"),
        ];
        for (addr, want) in rows {
            assert_eq!(url_of(addr.parse().unwrap()), want);
        }
    }
}

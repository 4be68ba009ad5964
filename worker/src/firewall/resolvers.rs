//! The servers that the host resolves names with. Docker asks them in the name of a space, from the
//! space's own address.

use std::net::Ipv4Addr;

/// Where a host says what its servers are. Where the first one only names systemd's own resolver,
/// Docker goes by the second one.
const FILES: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/// The servers of this host that a space's packets may have to get to.
pub(super) async fn of_host() -> Vec<Ipv4Addr> {
    let mut all = Vec::new();
    for file in FILES {
        all.extend(named_in(&tokio::fs::read_to_string(file).await.unwrap_or_default()));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// The servers in the text of a `resolv.conf`, but for those on the host's loopback: Docker asks them
/// in the name of the host.
fn named_in(text: &str) -> impl Iterator<Item = Ipv4Addr> {
    let server = |line: &str| {
        let mut words = line.split_whitespace();
        let is_server = words.next() == Some("nameserver");
        let address: Ipv4Addr = words.next().filter(|_| is_server)?.parse().ok()?;
        (!address.is_loopback() && !address.is_unspecified()).then_some(address)
    };
    text.lines().filter_map(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_named_one_a_line() {
        #[rustfmt::skip]
        let rows: [(&str, &[&str]); 7] = [
            ("nameserver 10.0.0.2\nsearch a.test\nnameserver 192.0.2.53", &["10.0.0.2", "192.0.2.53"]),
            ("nameserver\t169.254.169.253 ",                               &["169.254.169.253"]),
            ("nameserver 127.0.0.53",                                      &[]),
            ("nameserver 0.0.0.0",                                         &[]),
            ("# nameserver 10.0.0.2",                                      &[]),
            ("nameserver fd00::1\nnameserver",                             &[]),
            ("",                                                           &[]),
        ];
        for (text, want) in rows {
            let got: Vec<_> = named_in(text).map(|it| it.to_string()).collect();
            assert_eq!(got, want, "{text:?}");
        }
    }
}

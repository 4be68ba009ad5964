//! Where a webhook may lead: to the internet, and nowhere else.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::lookup_host;
use url::{Host, Url};

/// Why nothing is posted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TargetError {
    /// It is no URL that could be posted to.
    #[error("it is not an http URL")]
    Unusable,
    /// Its name leads nowhere, at least now.
    #[error("its host name is not found")]
    Unknown,
    /// It leads to where only this host or its network is.
    #[error("its host is not on the internet")]
    Private,
}

impl TargetError {
    /// Whether there is no use in another try.
    pub(super) const fn is_final(self) -> bool {
        match self {
            Self::Unusable | Self::Private => true,
            Self::Unknown => false,
        }
    }
}

/// Who finds the addresses of host names.
pub(super) trait Resolver: Sync {
    /// The addresses that `name` has now.
    fn look_up(
        &self,
        name: &str,
        port: u16,
    ) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

/// This host's own.
pub(super) struct SystemResolver;

impl Resolver for SystemResolver {
    async fn look_up(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host((name, port)).await?.collect())
    }
}

/// Where `url` leads. The addresses are looked up once, and these are the ones to connect to: a name that
/// leads elsewhere a moment later leads nobody there.
///
/// # Errors
/// [`TargetError`] if any of the addresses may not be posted to.
pub(super) async fn addresses(
    url: &Url,
    may_be_loopback: bool,
    resolver: &impl Resolver,
) -> Result<Vec<SocketAddr>, TargetError> {
    let port = url.port_or_known_default().ok_or(TargetError::Unusable)?;
    let addresses: Vec<SocketAddr> = match url.host().ok_or(TargetError::Unusable)? {
        Host::Ipv4(ip) => vec![SocketAddr::new(ip.into(), port)],
        Host::Ipv6(ip) => vec![SocketAddr::new(ip.into(), port)],
        Host::Domain(name) => {
            resolver.look_up(name, port).await.map_err(|_| TargetError::Unknown)?
        }
    };
    if addresses.is_empty() {
        return Err(TargetError::Unknown);
    }
    let may_be = |it: &SocketAddr| is_public(it.ip()) || (may_be_loopback && it.ip().is_loopback());
    if addresses.iter().all(may_be) { Ok(addresses) } else { Err(TargetError::Private) }
}

/// Whether an address is one of the internet's that anybody may have.
///
/// Source: the IANA registries of special-purpose addresses for IPv4 and IPv6.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    // Azure's own server for its machines, at an address that looks like anybody's.
    let is_azures = ip == Ipv4Addr::new(168, 63, 129, 16);
    !is_azures
        && !matches!(
            (a, b, c),
            (0 | 10 | 127 | 224.., ..)
                | (100, 64..=127, _)
                | (169, 254, _)
                | (172, 16..=31, _)
                | (192, 0, 0 | 2)
                | (192, 88, 99)
                | (192, 168, _)
                | (198, 18..=19, _)
                | (198, 51, 100)
                | (203, 0, 113)
        )
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Global unicast is 2000::/3; of that, these have other uses, or an IPv4 address inside.
    let is_global = (0x2000..0x4000).contains(&a);
    let is_special = matches!(
        (a, b),
        (0x2001, 0x0000..=0x01ff | 0x0db8) | (0x2002, _) | (0x3fff, 0x0000..=0x0fff)
    );
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_the_internet_is_public() {
        #[rustfmt::skip]
        let rows = [
            ("1.1.1.1",            true),
            ("100.63.255.255",     true),
            ("100.64.0.1",         false),
            ("100.128.0.1",        true),
            ("0.0.0.0",            false),
            ("10.0.0.1",           false),
            ("127.0.0.1",          false),
            ("127.8.8.8",          false),
            ("168.63.129.16",      false),
            ("168.63.129.17",      true),
            ("169.254.169.254",    false),
            ("172.15.0.1",         true),
            ("172.16.0.1",         false),
            ("172.31.255.255",     false),
            ("172.32.0.1",         true),
            ("192.0.0.170",        false),
            ("192.0.2.1",          false),
            ("192.168.1.1",        false),
            ("198.18.0.1",         false),
            ("198.51.100.1",       false),
            ("203.0.113.1",        false),
            ("224.0.0.1",          false),
            ("255.255.255.255",    false),
            ("::",                 false),
            ("::1",                false),
            ("::ffff:127.0.0.1",   false),
            ("::ffff:1.1.1.1",     false),
            ("64:ff9b::7f00:1",    false),
            ("fe80::1",            false),
            ("fc00::1",            false),
            ("fd12:3456::1",       false),
            ("ff02::1",            false),
            ("2001::1",            false),
            ("2001:db8::1",        false),
            ("2002:7f00:1::",      false),
            ("2606:4700::1111",    true),
            ("2a00:1450::1",       true),
        ];
        for (ip, want) in rows {
            assert_eq!(is_public(ip.parse().unwrap()), want, "{ip}");
        }
    }

    #[tokio::test]
    async fn urls_lead_to_where_their_hosts_are() {
        #[rustfmt::skip]
        let rows = [
            ("http://127.0.0.1:9/",       true,  Ok(1)),
            ("http://127.0.0.1:9/",       false, Err(TargetError::Private)),
            ("http://2130706433/",        false, Err(TargetError::Private)), // 127.0.0.1, as a number
            ("http://0x7f.1/",            false, Err(TargetError::Private)),
            ("http://[::1]/",             false, Err(TargetError::Private)),
            ("http://[::ffff:10.0.0.1]/", true,  Err(TargetError::Private)),
            ("http://10.0.0.1/",          true,  Err(TargetError::Private)),
            ("http://1.1.1.1/",           false, Ok(1)),
            ("http://no-such-host.invalid/", false, Err(TargetError::Unknown)),
        ];
        for (url, may_be_loopback, want) in rows {
            let found = addresses(&url.parse().unwrap(), may_be_loopback, &SystemResolver).await;
            assert_eq!(found.map(|it| it.len()), want, "{url}");
        }
        let found = addresses(&"http://localhost/".parse().unwrap(), false, &SystemResolver).await;
        assert_eq!(found, Err(TargetError::Private));
    }
}

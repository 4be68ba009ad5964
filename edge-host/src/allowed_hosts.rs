//! `allowed_outbound_hosts`: where a component may send requests.
//!
//! Source: Spin's `crates/outbound-networking-config/src/allowed_hosts.rs`.

use std::ops::RangeInclusive;

use http::Uri;

/// Why an entry of `allowed_outbound_hosts` is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllowedHostError {
    /// There is no `://` in it.
    #[error("{0:?} has no scheme: it must be <scheme>://<host>[:<port>]")]
    NoScheme(String),
    /// The scheme is neither HTTP's nor `*`.
    #[error("{0:?} has a scheme other than http, https and *; the embedded edge has no other")]
    Scheme(String),
    /// A form of host that only Spin has: `self`, `*.spin.internal`, a network.
    #[error("{0:?} has a host of a kind that needs Spin")]
    NeedsSpin(String),
    /// The host is not one.
    #[error("{0:?} has a host that is not one")]
    Host(String),
    /// The port is not one, or `*` as scheme has none.
    #[error("{0:?} has no port, or one that is not one")]
    Port(String),
}

/// The hosts that one component may send requests to.
#[derive(Debug, Default)]
pub(crate) struct AllowedHosts(Vec<Entry>);

/// How a host is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// By its name: whoever wrote the manifest meant this host, wherever it is.
    ByName,
    /// By a wildcard: whoever wrote the manifest did not mean hosts in private networks.
    ByWildcard,
}

#[derive(Debug)]
struct Entry {
    /// `None` is any.
    scheme: Option<String>,
    host: HostPattern,
    /// `None` is any.
    ports: Option<RangeInclusive<u16>>,
}

#[derive(Debug)]
enum HostPattern {
    Any,
    /// With its leading dot.
    Below(String),
    Exactly(String),
}

impl AllowedHosts {
    /// Reads the entries, with their templates expanded.
    ///
    /// # Errors
    /// [`AllowedHostError`] for the first that is not one.
    pub(crate) fn parse<'a>(
        entries: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, AllowedHostError> {
        entries.into_iter().map(Entry::parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a request to `uri` is allowed, and how. `None` is no.
    pub(crate) fn allow(&self, uri: &Uri) -> Option<Allowed> {
        let scheme = uri.scheme_str()?;
        let host = uri.host()?.to_ascii_lowercase();
        let port = uri.port_u16().or(default_port(scheme))?;
        let matching = self.0.iter().filter(|it| it.allows(scheme, &host, port));
        let how = matching.map(|it| match it.host {
            HostPattern::Exactly(_) => Allowed::ByName,
            HostPattern::Any | HostPattern::Below(_) => Allowed::ByWildcard,
        });
        how.reduce(|a, b| if a == Allowed::ByName { a } else { b })
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self, AllowedHostError> {
        let trimmed = text.trim();
        let (scheme, rest) =
            trimmed.split_once("://").ok_or_else(|| AllowedHostError::NoScheme(text.to_owned()))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_port(rest);
        Ok(Self {
            scheme: match scheme {
                "*" => None,
                "http" | "https" => Some(scheme.to_owned()),
                _ => return Err(AllowedHostError::Scheme(text.to_owned())),
            },
            host: HostPattern::parse(host, text)?,
            ports: parse_ports(port, scheme)
                .ok_or_else(|| AllowedHostError::Port(text.to_owned()))?,
        })
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme.as_deref().is_none_or(|it| it == scheme)
            && self.host.allows(host)
            && self.ports.as_ref().is_none_or(|it| it.contains(&port))
    }
}

impl HostPattern {
    fn parse(host: &str, text: &str) -> Result<Self, AllowedHostError> {
        let host = host.to_ascii_lowercase();
        let needs_spin = matches!(&*host, "self" | "self.alt")
            || host.ends_with(".spin.internal")
            || is_network(&host);
        if needs_spin {
            return Err(AllowedHostError::NeedsSpin(text.to_owned()));
        }
        if host == "*" {
            return Ok(Self::Any);
        }
        let (name, is_suffix) = match host.strip_prefix("*.") {
            Some(suffix) => (suffix, true),
            None => (&*host, false),
        };
        if name.contains('*') || name.parse::<http::uri::Authority>().is_err() || name.contains('@')
        {
            return Err(AllowedHostError::Host(text.to_owned()));
        }
        Ok(if is_suffix { Self::Below(format!(".{name}")) } else { Self::Exactly(host) })
    }

    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            // An address is below no name, whatever its digits.
            Self::Below(suffix) => host.ends_with(suffix) && !is_address(host),
            Self::Exactly(name) => host == name,
        }
    }
}

/// Splits `host:port`, leaving the colons of an IPv6 address in brackets alone.
fn split_port(text: &str) -> (&str, &str) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, ""),
    }
}

/// The outer `None` is an error, the inner one any port. The end of a range is excluded, as in Spin.
fn parse_ports(port: &str, scheme: &str) -> Option<Option<RangeInclusive<u16>>> {
    let range = match (port, port.split_once("..")) {
        ("*", _) => return Some(None),
        ("", _) => default_port(scheme).map(|it| it..=it)?,
        (_, Some((start, end))) => start.parse().ok()?..=end.parse::<u16>().ok()?.checked_sub(1)?,
        (_, None) => port.parse().ok().map(|it: u16| it..=it)?,
    };
    Some(Some(range))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok()
}

fn is_network(host: &str) -> bool {
    host.split_once('/').is_some_and(|(_, bits)| bits.parse::<u8>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed() {
        use Allowed::{ByName, ByWildcard};
        let rows = [
            ("http://a.org", "http://a.org/x", Some(ByName)),
            ("http://a.org", "http://A.org:80", Some(ByName)),
            ("http://a.org", "https://a.org", None),
            ("http://a.org", "http://a.org:81", None),
            ("http://a.org", "http://b.a.org", None),
            ("http://a.org/", "http://a.org", Some(ByName)),
            ("https://a.org:8443", "https://a.org:8443/x", Some(ByName)),
            ("https://a.org:8443", "https://a.org", None),
            ("http://a.org:*", "http://a.org:1234", Some(ByName)),
            ("http://a.org:80..82", "http://a.org:81", Some(ByName)),
            ("http://a.org:80..82", "http://a.org:82", None),
            ("*://a.org:443", "https://a.org", Some(ByName)),
            ("https://*.a.org", "https://b.a.org", Some(ByWildcard)),
            ("https://*.a.org", "https://a.org", None),
            ("https://*.a.org", "https://ba.org", None),
            ("http://*.0.0.1", "http://127.0.0.1", None),
            ("*://*:*", "http://anything:1", Some(ByWildcard)),
            ("https://*", "https://anything", Some(ByWildcard)),
            ("https://*", "http://anything", None),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000", Some(ByName)),
            ("http://[::1]:3000", "http://[::1]:3000", Some(ByName)),
            ("http://[::1]", "http://[::1]/", Some(ByName)),
        ];
        for (entry, uri, want) in rows {
            let hosts = AllowedHosts::parse([entry]).unwrap();
            assert_eq!(hosts.allow(&uri.parse().unwrap()), want, "{entry} {uri}");
        }
    }

    #[test]
    fn a_name_goes_before_a_wildcard_in_any_order() {
        let uri = "http://a.org".parse().unwrap();
        for entries in [["http://a.org", "http://*"], ["http://*", "http://a.org"]] {
            let hosts = AllowedHosts::parse(entries).unwrap();
            assert_eq!(hosts.allow(&uri), Some(Allowed::ByName), "{entries:?}");
        }
    }

    #[test]
    fn what_is_not_an_entry() {
        let error = |text: &str| AllowedHosts::parse([text]).unwrap_err();
        let named = str::to_owned;
        let rows = [
            ("a.org", AllowedHostError::NoScheme(named("a.org"))),
            ("*", AllowedHostError::NoScheme(named("*"))),
            ("", AllowedHostError::NoScheme(named(""))),
            ("http://a.org b.org", AllowedHostError::Host(named("http://a.org b.org"))),
            (
                "http://a.org http://b.org",
                AllowedHostError::Host(named("http://a.org http://b.org")),
            ),
            ("redis://a.org:6379", AllowedHostError::Scheme(named("redis://a.org:6379"))),
            ("http://self", AllowedHostError::NeedsSpin(named("http://self"))),
            (
                "http://x.spin.internal",
                AllowedHostError::NeedsSpin(named("http://x.spin.internal")),
            ),
            ("http://10.0.0.0/8:80", AllowedHostError::NeedsSpin(named("http://10.0.0.0/8:80"))),
            ("http://", AllowedHostError::Host(named("http://"))),
            ("http://a.*.org", AllowedHostError::Host(named("http://a.*.org"))),
            ("http://a.org/path", AllowedHostError::Host(named("http://a.org/path"))),
            ("http://me@a.org", AllowedHostError::Host(named("http://me@a.org"))),
            ("http://a.org:http", AllowedHostError::Port(named("http://a.org:http"))),
            ("*://a.org", AllowedHostError::Port(named("*://a.org"))),
        ];
        for (text, want) in rows {
            assert_eq!(error(text), want, "{text}");
        }
    }
}

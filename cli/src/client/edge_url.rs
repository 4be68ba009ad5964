//! Where an edge, or a gateway, is.

use std::{fmt, str::FromStr};

use url::{Host, Url};

/// The origin of a server: `http://127.0.0.1:3000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EdgeUrl(Url);

/// The text is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give scheme and host, as in http://127.0.0.1:3000")]
pub(crate) struct NotAnOrigin;

impl EdgeUrl {
    /// The URL of what is at `path`, which begins with a slash.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Host and port, as a wallet shows who asks.
    pub(crate) fn authority(&self) -> &str {
        self.0.authority()
    }
}

impl FromStr for EdgeUrl {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let url = Url::parse(text).map_err(|_| NotAnOrigin)?;
        let is_origin = matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        is_origin.then_some(Self(url)).ok_or(NotAnOrigin)
    }
}

impl fmt::Display for EdgeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

/// Whether a URL is about this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => is_localhost(name),
        None => false,
    }
}

/// Whether a name means this machine. Not every system's resolver knows it.
///
/// Source: RFC 6761 §6.3.
pub(super) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        #[rustfmt::skip]
        let rows = [
            ("http://127.0.0.1:3000",    Some(("http://127.0.0.1:3000",  "127.0.0.1:3000"))),
            ("http://localhost:3000/",   Some(("http://localhost:3000",  "localhost:3000"))),
            ("https://App.example.org",  Some(("https://app.example.org", "app.example.org"))),
            ("https://app.example:443",  Some(("https://app.example",    "app.example"))),
            ("http://[::1]:80",          Some(("http://[::1]",           "[::1]"))),
            ("https://app.example/v1",   None),
            ("https://app.example/?x",   None),
            ("https://app.example/#x",   None),
            ("https://me@app.example",   None),
            ("ftp://app.example",        None),
            ("127.0.0.1:3000",           None),
            ("",                         None),
        ];
        for (text, want) in rows {
            let got = text.parse::<EdgeUrl>().ok();
            let got = got.map(|it| (it.to_string(), it.authority().to_owned()));
            assert_eq!(got, want.map(|(url, name)| (url.to_owned(), name.to_owned())), "{text}");
        }
        let edge: EdgeUrl = "http://127.0.0.1:3000/".parse().unwrap();
        assert_eq!(edge.at("/v1/apps"), "http://127.0.0.1:3000/v1/apps");
    }

    #[test]
    fn what_is_on_this_machine() {
        #[rustfmt::skip]
        let rows = [
            ("http://127.0.0.1",             true),
            ("http://127.9.9.9",             true),
            ("http://[::1]",                 true),
            ("http://localhost",             true),
            ("http://garden.localhost.:80",  true),
            ("http://notlocalhost",          false),
            ("http://localhost.example.org", false),
            ("http://192.0.2.1",             false),
        ];
        for (url, want) in rows {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), want, "{url}");
        }
    }
}

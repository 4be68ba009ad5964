//! One address of somebody who is asked, whose path and query are secrets.

use std::{fmt, str::FromStr};

use iri_string::types::UriStr;

/// The URL of a node, or of another service that is asked. Providers put API keys into path and
/// query, so neither is ever printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    origin: String,
}

/// Why a text is not the URL of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is no URL with a host of letters, digits, `-`, `.` and `_`, or an IPv6 address, or its
    /// port is no number up to 65535. A `*` would be a wildcard where the host is granted.
    #[error("this is not a URL with a host")]
    NotAUrl,
    /// The scheme is not one of the two.
    #[error("the scheme is http or https")]
    Scheme,
    /// There is a user or password before the host.
    #[error("there is no user info before the host")]
    UserInfo,
    /// There is a fragment, which is never sent.
    #[error("there is no fragment")]
    Fragment,
}

impl Endpoint {
    /// The whole URL. Only to send to.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Scheme, host and port, which is always there: `https://node.example:443`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The beginning of what others wrote, without secrets of this URL and without what would look
    /// like another line: 200 characters at most.
    #[must_use]
    pub fn fit_for_log(&self, text: &str) -> String {
        let text = self.censor(text);
        let printable = text.chars().map(|it| if it.is_control() { ' ' } else { it });
        printable.take(TEXT_LEN_MAX).collect()
    }

    /// `text` without what this URL has after its host, should others have repeated it.
    fn censor(&self, text: &str) -> String {
        let after_scheme = self.url.split_once("://").map_or("", |(_, rest)| rest);
        let secrets = after_scheme.split(['/', '?', '&', '=']).skip(1);
        // Shorter pieces are `v3` and the like.
        let secrets = secrets.filter(|it| SECRET_LEN_MIN <= it.len());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// The longest text of others that is kept, in characters.
const TEXT_LEN_MAX: usize = 200;

/// The least length of a piece of a URL, in bytes, for it to be taken for a key.
const SECRET_LEN_MIN: usize = 6;

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl FromStr for Endpoint {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        let uri = UriStr::new(url).map_err(|_| UrlError::NotAUrl)?;
        let scheme = uri.scheme_str().to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(UrlError::Scheme),
        };
        let authority = uri.authority_components().ok_or(UrlError::NotAUrl)?;
        if authority.userinfo().is_some() {
            return Err(UrlError::UserInfo);
        }
        if uri.fragment().is_some() {
            return Err(UrlError::Fragment);
        }
        let host = authority.host().to_ascii_lowercase();
        let is_name = |it: &str| {
            !it.is_empty() && it.chars().all(|it| it.is_ascii_alphanumeric() || "-._".contains(it))
        };
        // In brackets the grammar has checked everything, but for future kinds of addresses.
        if !is_name(&host) && !host.starts_with('[') {
            return Err(UrlError::NotAUrl);
        }
        let port: u16 = match authority.port() {
            Some(digits) if !digits.is_empty() => digits.parse().map_err(|_| UrlError::NotAUrl)?,
            _ => default_port,
        };
        Ok(Self { url: url.to_owned(), origin: format!("{scheme}://{host}:{port}") })
    }
}

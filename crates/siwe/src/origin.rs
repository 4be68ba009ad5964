//! Web origins: scheme, host and port.

use std::str::FromStr;

use iri_string::types::UriStr;

/// A web origin, such as `http://localhost:3000`.
///
/// Two are equal if scheme and host are, whatever their capitals, and the port, where the default
/// one may be left out. Source: RFC 6454 §4 and §5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    /// `None` if there is none and the scheme has no default known here.
    port: Option<u16>,
}

/// Why a text is not an [`Origin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// The text is not a URI with a host, or it has a user or a port above 65535.
    #[error("an origin is a scheme, a host and perhaps a port")]
    NotAnOrigin,
    /// There is a path (be it `/`), a query or a fragment.
    #[error("an origin has nothing after the host and port")]
    MoreThanOrigin,
}

impl Origin {
    /// The scheme, in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The origin of a URI. `None` for one without a host, such as `did:key:z6Mk`.
    ///
    /// A URI with a user in it has none either: nobody here makes such URIs, and what stands before
    /// an `@` is there to be mistaken for the host.
    pub(crate) fn of_uri(uri: &UriStr) -> Option<Self> {
        let authority = uri.authority_components()?;
        if authority.userinfo().is_some() || authority.host().is_empty() {
            return None;
        }
        let scheme = uri.scheme_str().to_ascii_lowercase();
        let port = match authority.port() {
            Some(digits) if !digits.is_empty() => Some(digits.parse().ok()?),
            _ => default_port(&scheme),
        };
        Some(Self { scheme, host: authority.host().to_ascii_lowercase(), port })
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let uri = UriStr::new(text).map_err(|_| OriginError::NotAnOrigin)?;
        let origin = Self::of_uri(uri).ok_or(OriginError::NotAnOrigin)?;
        if !uri.path_str().is_empty() || uri.query().is_some() || uri.fragment().is_some() {
            return Err(OriginError::MoreThanOrigin);
        }
        Ok(origin)
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_origins_are_equal() {
        #[rustfmt::skip]
        let rows = [
            ("https://example.com",       "https://example.com:443",    true),
            ("https://example.com",       "https://example.com:",       true),
            ("https://example.com",       "HTTPS://EXAMPLE.com",        true),
            ("http://localhost:80",       "http://localhost",           true),
            ("https://[::1]:3000",        "https://[::1]:3000",         true),
            ("https://example.com",       "http://example.com",         false),
            ("https://example.com",       "http://example.com:443",     false),
            ("https://example.com",       "https://example.com:444",    false),
            ("https://example.com",       "https://www.example.com",    false),
            ("https://example.com",       "https://example.com.",       false),
        ];
        for (left, right, want) in rows {
            let equal = left.parse::<Origin>().unwrap() == right.parse::<Origin>().unwrap();
            assert_eq!(equal, want, "{left} {right}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        #[rustfmt::skip]
        let rows = [
            ("",                          OriginError::NotAnOrigin),
            ("example.com",               OriginError::NotAnOrigin),
            ("localhost:3000",            OriginError::NotAnOrigin),
            ("//example.com",             OriginError::NotAnOrigin),
            ("https://",                  OriginError::NotAnOrigin),
            ("https://:443",              OriginError::NotAnOrigin),
            ("https://me@example.com",    OriginError::NotAnOrigin),
            ("https://example.com:65536", OriginError::NotAnOrigin),
            ("https://exa mple.com",      OriginError::NotAnOrigin),
            ("did:key:z6Mk",              OriginError::NotAnOrigin),
            ("https://example.com/",      OriginError::MoreThanOrigin),
            ("https://example.com?",      OriginError::MoreThanOrigin),
            ("https://example.com#",      OriginError::MoreThanOrigin),
        ];
        for (text, want) in rows {
            assert_eq!(text.parse::<Origin>(), Err(want), "{text}");
        }
    }
}

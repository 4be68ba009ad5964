//! Where the edge is.

use std::net::IpAddr;

use http::{HeaderValue, Uri};

use super::values::{ConfigError, list, present, wrong};

/// Where the edge is, for browsers. All that a component needs that knows nobody.
#[derive(Clone)]
pub struct Site {
    /// Our own origin, as browsers write it: `https://app.example.org`.
    pub origin: String,
    /// Our own authority, which wallets show: `app.example.org`.
    pub domain: String,
    /// Origins, besides our own, whose pages may read our answers.
    pub cors_origins: Vec<HeaderValue>,
}

impl Site {
    /// Reads the part of the configuration that says where we are.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that is wrong.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let url = present(&lookup, "public_url");
        let url = url.unwrap_or_else(|| "http://127.0.0.1:3000".to_owned());
        let (origin, domain) = origin(&url)?;
        let cors_origins = origins(present(&lookup, "cors_origins").as_deref())?;
        Ok(Self { origin, domain, cors_origins })
    }

    /// Whether we are on this machine for this machine only.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.domain.rsplit_once(':').map_or(&*self.domain, |it| it.0);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
    }

    /// Where a request with this target is, as the world sees it.
    pub(crate) fn url_of(&self, target: &Uri) -> String {
        let path = target.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        format!("{}{path}", self.origin)
    }
}

/// The origin and the authority of a URL without a path.
fn origin(url: &str) -> Result<(String, String), ConfigError> {
    let problem = || {
        wrong("public_url", format!("{url:?} is not an origin, such as https://app.example.org"))
    };
    let uri: Uri = url.parse().map_err(|_| problem())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(problem());
    };
    let is_plain = matches!(scheme, "http" | "https")
        && matches!(uri.path(), "" | "/")
        && uri.query().is_none()
        && !authority.as_str().contains('@')
        && !authority.as_str().contains(|it: char| it.is_ascii_uppercase());
    let default_port = if scheme == "https" { 443 } else { 80 };
    if !is_plain || authority.port_u16() == Some(default_port) {
        return Err(problem());
    }
    Ok((format!("{scheme}://{authority}"), authority.to_string()))
}

fn origins(value: Option<&str>) -> Result<Vec<HeaderValue>, ConfigError> {
    list(value)
        .map(|text| {
            let (origin, _) =
                origin(text).map_err(|error| ConfigError { variable: "cors_origins", ..error })?;
            HeaderValue::from_str(&origin).map_err(|it| wrong("cors_origins", it.to_string()))
        })
        .collect()
}

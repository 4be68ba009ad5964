//! Names on the internet: who is asked about custom domains, and what proxies are told.

use evm::Endpoint;
use http::Uri;

use super::values::{ConfigError, list, number, wrong};

/// Who is asked if nobody else is named. It answers over HTTP/1.1, filters nothing and checks DNSSEC.
///
/// Source: RFC 8484; Cloudflare's documentation of 1.1.1.1.
const RESOLVER_DEFAULT: &str = "https://cloudflare-dns.com/dns-query";
/// What stands in the place of a resolver's URL where no domain can be brought along.
const OFF: &str = "off";
/// Highest priority of our routes.
const PRIORITY_MAX: u32 = 1_000_000;

/// What Traefik is told of our routes besides where they lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraefikConfig {
    /// Before whose other routes they go.
    pub(crate) priority: u32,
    /// On which of its entry points they are.
    pub(crate) entry_points: Vec<String>,
    /// Who gets it certificates. Without one it is left to its entry points.
    pub(crate) cert_resolver: Option<String>,
}

impl TraefikConfig {
    pub(super) fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let priority = get("traefik_priority");
        let entry_points = get("traefik_entrypoints").unwrap_or_else(|| "websecure".to_owned());
        let names = |variable: &'static str, text: &str| -> Result<Vec<String>, ConfigError> {
            list(Some(text)).map(|it| name(variable, it)).collect()
        };
        let entry_points = names("traefik_entrypoints", &entry_points)?;
        if entry_points.is_empty() {
            return Err(wrong("traefik_entrypoints", "has no entry point in it"));
        }
        let cert_resolver = get("traefik_cert_resolver");
        Ok(Self {
            priority: number("traefik_priority", priority.as_deref(), 200, PRIORITY_MAX)?,
            entry_points,
            cert_resolver: cert_resolver
                .map(|it| name("traefik_cert_resolver", &it))
                .transpose()?,
        })
    }
}

fn name(variable: &'static str, text: &str) -> Result<String, ConfigError> {
    let is_name = text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it));
    if is_name { Ok(text.to_owned()) } else { Err(wrong(variable, format!("{text:?} is no name"))) }
}

/// Who is asked what stands in DNS; nobody if it is turned off.
pub(super) fn resolver(value: Option<&str>) -> Result<Option<Endpoint>, ConfigError> {
    const VARIABLE: &str = "dns_over_https_url";
    let text = value.unwrap_or(RESOLVER_DEFAULT);
    if text == OFF {
        return Ok(None);
    }
    let endpoint: Endpoint = text.parse().map_err(|error| {
        wrong(VARIABLE, format!("{error}; a resolver is such as {RESOLVER_DEFAULT}, or {OFF}"))
    })?;
    if endpoint.origin().starts_with("http://") && !is_on_this_machine(endpoint.origin()) {
        return Err(wrong(
            VARIABLE,
            "takes https, or http on this machine: else anybody on the way \
             could say whose a domain is",
        ));
    }
    Ok(Some(endpoint))
}

fn is_on_this_machine(origin: &str) -> bool {
    let uri = origin.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || address.is_ok_and(|it: std::net::IpAddr| it.is_loopback())
}

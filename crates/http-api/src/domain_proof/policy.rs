//! Which domains a tenant can bring along.

use domain::{CustomDomain, DomainError};
use http::uri::Authority;

use crate::{Config, error::ApiError};

/// Names that are nobody's on the internet.
///
/// Source: RFC 6761 and IANA's registry of special-use names, RFC 8375, RFC 9476, ICANN's reservation
/// of `internal`, and three that it will not delegate because so many use them inside.
const SPECIAL_USE: [&str; 14] = [
    "alt",
    "arpa",
    "corp",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localhost",
    "mail",
    "onion",
    "test",
];

/// The domain in `text`, if it can be a tenant's.
///
/// # Errors
/// [`ApiError::InvalidDomain`].
pub(crate) fn parse(text: &str, config: &Config) -> Result<CustomDomain, ApiError> {
    let invalid = |problem: String| Err(ApiError::InvalidDomain(problem));
    let domain: CustomDomain =
        text.parse().map_err(|error: DomainError| ApiError::InvalidDomain(error.to_string()))?;
    let base = config.base_domain.as_str();
    if domain.is_within(base) {
        return invalid(format!("{base} and what is below it is ours"));
    }
    if own_host(config).is_some_and(|it| domain.as_str() == it) {
        return invalid(format!("{domain} is where this service is itself"));
    }
    // Where our own name is one, on a laptop, there are no others.
    if let (Some(top), None) = (special_use(domain.as_str()), special_use(base)) {
        return invalid(format!("names that end in .{top} are nobody's on the internet"));
    }
    Ok(domain)
}

/// The top-level domain of `name`, if names below it are nobody's on the internet.
fn special_use(name: &str) -> Option<&str> {
    name.rsplit('.').next().filter(|it| SPECIAL_USE.contains(it))
}

/// The host in `public_url`.
pub(crate) fn own_host(config: &Config) -> Option<String> {
    let authority: Authority = config.site.domain.parse().ok()?;
    Some(authority.host().to_owned())
}

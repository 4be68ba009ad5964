//! What the operator configures.

use credentials::KeyRing;
use domain::{ReservedNames, Wallet};
use http::{HeaderValue, Uri};

/// The name of every variable that is read here.
pub const VARIABLES: [&str; 8] = [
    "base_domain",
    "public_url",
    "session_key",
    "admin_addresses",
    "admin_key_sha256",
    "cron_key",
    "reserved_names",
    "cors_origins",
];

/// The configuration of the edge.
#[derive(Clone)]
pub struct Config {
    /// Spaces are at `<name>.<base_domain>`.
    pub base_domain: String,
    /// Where we are ourselves.
    pub site: Site,
    /// The keys behind our credentials.
    pub keys: KeyRing,
    /// Wallets whose sessions are the operator's.
    pub admins: Vec<Wallet>,
    /// Hash of the operator's bearer key.
    pub admin_key_sha256: Option<String>,
    /// The bearer key with which the cron trigger calls.
    pub cron_key: Option<String>,
    /// Names that nobody may take.
    pub reserved_names: ReservedNames,
}

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

/// A variable has a value that can't be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("variable {variable}: {problem}")]
pub struct ConfigError {
    /// Which variable.
    pub variable: &'static str,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

impl Config {
    /// Reads the configuration; `lookup` gives a variable's value. An empty one is as good as none.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that is wrong.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| present(&lookup, name);
        Ok(Self {
            base_domain: base_domain(get("base_domain"))?,
            site: Site::parse(&lookup)?,
            keys: keys(get("session_key"))?,
            admins: addresses(get("admin_addresses").as_deref())?,
            admin_key_sha256: sha256(get("admin_key_sha256"))?,
            cron_key: cron_key(get("cron_key"))?,
            reserved_names: ReservedNames::with(&get("reserved_names").unwrap_or_default()),
        })
    }

    /// The address of the space `name` on a host whose gateway is at `gateway_url`: the same
    /// scheme and port, so that a laptop's odd port is in it.
    #[must_use]
    pub fn space_url(&self, name: &domain::SpaceName, gateway_url: Option<&str>) -> String {
        let gateway = gateway_url.and_then(|it| it.parse::<Uri>().ok());
        let scheme = gateway.as_ref().and_then(Uri::scheme_str).unwrap_or("https");
        let port = gateway.as_ref().and_then(Uri::port_u16);
        let port = port.map(|it| format!(":{it}")).unwrap_or_default();
        format!("{scheme}://{name}.{}{port}", self.base_domain)
    }
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
}

/// The value of a variable, if it has one that is not empty.
fn present(lookup: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    lookup(name).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
}

fn wrong(variable: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError { variable, problem: problem.into() }
}

fn base_domain(value: Option<String>) -> Result<String, ConfigError> {
    let domain = value.unwrap_or_else(|| "localhost".to_owned());
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|it| matches!(it, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    if domain.len() <= 200 && domain.split('.').all(is_label) {
        Ok(domain)
    } else {
        let problem = format!("{domain:?} is not a domain in lower case, such as spaces.example");
        Err(wrong("base_domain", problem))
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

fn keys(value: Option<String>) -> Result<KeyRing, ConfigError> {
    let secret = value.ok_or_else(|| wrong("session_key", "is missing: any long random text"))?;
    KeyRing::derive(&secret).map_err(|error| wrong("session_key", error.to_string()))
}

fn addresses(value: Option<&str>) -> Result<Vec<Wallet>, ConfigError> {
    list(value)
        .map(|text| {
            text.parse().map_err(|error| wrong("admin_addresses", format!("{text:?}: {error}")))
        })
        .collect()
}

fn sha256(value: Option<String>) -> Result<Option<String>, ConfigError> {
    let is_hash = |text: &String| {
        text.len() == 64 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
    };
    match value {
        Some(text) if !is_hash(&text) => {
            Err(wrong("admin_key_sha256", "is not 64 lower-case hexadecimal digits"))
        }
        value => Ok(value),
    }
}

fn cron_key(value: Option<String>) -> Result<Option<String>, ConfigError> {
    match value {
        Some(text) if text.len() < 32 => Err(wrong("cron_key", "needs at least 32 characters")),
        value => Ok(value),
    }
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

/// The items of a list separated by commas or white space.
fn list(value: Option<&str>) -> impl Iterator<Item = &str> {
    value
        .unwrap_or_default()
        .split(|it: char| it == ',' || it.is_whitespace())
        .filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(set: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let secret = "k".repeat(32);
        Config::parse(|name| {
            let found = set.iter().find(|(it, _)| *it == name).map(|(_, value)| *value);
            found.or((name == "session_key").then_some(&*secret)).map(str::to_owned)
        })
    }

    #[test]
    fn a_laptop_needs_a_session_key_only() {
        let config = parse(&[]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.base_domain, "localhost");
        assert_eq!(config.site.origin, "http://127.0.0.1:3000");
        assert_eq!(config.site.domain, "127.0.0.1:3000");
    }

    #[test]
    fn a_wrong_value_is_named() {
        #[rustfmt::skip]
        let rows = [
            ("base_domain",      "Example.org"),
            ("base_domain",      "a..b"),
            ("base_domain",      "-a.example"),
            ("public_url",       "example.org"),
            ("public_url",       "ftp://example.org"),
            ("public_url",       "https://example.org/app"),
            ("public_url",       "https://example.org:443"),
            ("public_url",       "https://user@example.org"),
            ("session_key",      "short"),
            ("admin_addresses",  "0x12"),
            ("admin_key_sha256", "ABC"),
            ("cron_key",         "short"),
            ("cors_origins",     "https://a.example, nonsense"),
        ];
        for (variable, value) in rows {
            let error = parse(&[(variable, value)]).err().unwrap_or_else(|| panic!("{value}"));
            assert_eq!(error.variable, variable, "{value}");
        }
    }

    #[test]
    fn a_space_has_the_scheme_and_port_of_its_gateway() {
        let config = parse(&[("base_domain", "spaces.example")]).unwrap_or_else(|_| panic!());
        let name = "garden".parse().unwrap();
        #[rustfmt::skip]
        let rows = [
            (Some("http://127.0.0.1:8080"), "http://garden.spaces.example:8080"),
            (Some("https://host.example"),  "https://garden.spaces.example"),
            (None,                          "https://garden.spaces.example"),
        ];
        for (gateway, want) in rows {
            assert_eq!(config.space_url(&name, gateway), want);
        }
    }
}

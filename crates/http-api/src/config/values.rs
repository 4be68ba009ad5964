//! Variables, one by one: what they may be, and how a wrong one is named.

use std::{net::IpAddr, time::Duration};

use billing::{DunningPolicy, Rates};
use credentials::{KeyRing, SecretError};
use domain::{Money, Wallet};
use evm::Endpoints;
use facilitator::WebhookSecrets;
use ipnet::IpNet;

/// Longest time that can be configured in days: ten years.
const DAYS_MAX: u32 = 3650;

/// A variable has a value that can't be meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("variable {variable}: {problem}")]
pub struct ConfigError {
    /// Which variable.
    pub variable: &'static str,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

pub(super) fn wrong(variable: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError { variable, problem: problem.into() }
}

/// The value of a variable, if it has one that is not empty.
pub(super) fn present(lookup: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    lookup(name).map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
}

/// The items of a list separated by commas or white space.
pub(super) fn list(value: Option<&str>) -> impl Iterator<Item = &str> {
    value
        .unwrap_or_default()
        .split(|it: char| it == ',' || it.is_whitespace())
        .filter(|it| !it.is_empty())
}

pub(super) fn base_domain(value: Option<String>) -> Result<String, ConfigError> {
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

pub(super) fn keys(value: Option<String>, previous: Option<&str>) -> Result<KeyRing, ConfigError> {
    let secret = value.ok_or_else(|| wrong("session_key", "is missing: any long random text"))?;
    let previous: Vec<&str> = list(previous).collect();
    KeyRing::derive(&secret, &previous).map_err(|error| {
        let is_current = error == SecretError::TooShort;
        let variable = if is_current { "session_key" } else { "previous_session_keys" };
        wrong(variable, error.to_string())
    })
}

pub(super) fn addresses(value: Option<&str>) -> Result<Vec<Wallet>, ConfigError> {
    list(value)
        .map(|text| {
            text.parse().map_err(|error| wrong("admin_addresses", format!("{text:?}: {error}")))
        })
        .collect()
}

pub(super) fn sha256(value: Option<String>) -> Result<Option<String>, ConfigError> {
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

pub(super) fn cron_key(value: Option<String>) -> Result<Option<String>, ConfigError> {
    match value {
        Some(text) if text.len() < 32 => Err(wrong("cron_key", "needs at least 32 characters")),
        value => Ok(value),
    }
}

pub(super) fn chain_ids(value: Option<&str>) -> Result<Vec<u64>, ConfigError> {
    list(value)
        .map(|text| match text.parse() {
            Ok(chain_id) if 0 < chain_id => Ok(chain_id),
            _ => Err(wrong("siwe_chain_ids", format!("{text:?} is not the number of a chain"))),
        })
        .collect()
}

/// The one that is named, or the only one there is.
pub(super) fn contract_wallet_chain(
    value: Option<&str>,
    endpoints: &Endpoints,
) -> Result<Option<u64>, ConfigError> {
    let Some(text) = value else { return Ok(endpoints.only_chain()) };
    match text.parse() {
        Ok(chain_id) if endpoints.has(chain_id) => Ok(Some(chain_id)),
        _ => {
            let problem = format!("{text:?} is none of the chains in rpc_urls");
            Err(wrong("contract_wallet_chain_id", problem))
        }
    }
}

pub(super) fn proxies(value: Option<&str>) -> Result<Vec<IpNet>, ConfigError> {
    list(value)
        .map(|text| {
            let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            let example = "not an address or a network such as 10.0.0.0/8";
            network.map_err(|_| wrong("trusted_proxies", format!("{text:?} is {example}")))
        })
        .collect()
}

pub(super) fn rates(get: impl Fn(&str) -> Option<String>) -> Result<Rates, ConfigError> {
    let price = |variable: &'static str, default: &str| -> Result<Money, ConfigError> {
        let text = get(variable).unwrap_or_else(|| default.to_owned());
        text.parse().map_err(|error| wrong(variable, format!("{text:?}: {error}")))
    };
    let free = get("storage_free_gib");
    Ok(Rates {
        base_month: price("price_base_month", "5.00")?,
        post: price("price_post", "0.01")?,
        storage_gib_month: price("price_storage_gib_month", "0.50")?,
        storage_free_gib: number("storage_free_gib", free.as_deref(), 1, 1_000_000)?,
    })
}

pub(super) fn dunning(get: impl Fn(&str) -> Option<String>) -> Result<DunningPolicy, ConfigError> {
    let days = |variable: &'static str, default| {
        let days = number(variable, get(variable).as_deref(), default, DAYS_MAX)?;
        Ok(Duration::from_hours(24 * u64::from(days)))
    };
    Ok(DunningPolicy { grace: days("grace_days", 3)?, retention: days("retention_days", 30)? })
}

pub(super) fn webhook_secrets(value: Option<&str>) -> Result<Option<WebhookSecrets>, ConfigError> {
    let parsed = value.map(str::parse).transpose();
    parsed.map_err(|error: facilitator::WebhookSecretsError| {
        wrong("facilitator_webhook_secret", error.to_string())
    })
}

/// A whole number in `0..=max`.
pub(super) fn number(
    variable: &'static str,
    value: Option<&str>,
    default: u32,
    max: u32,
) -> Result<u32, ConfigError> {
    let Some(text) = value else { return Ok(default) };
    let number = text.parse().ok().filter(|it| *it <= max);
    number.ok_or_else(|| wrong(variable, format!("{text:?} is not a whole number up to {max}")))
}

/// `true` or `1`, `false` or `0`.
pub(super) fn flag(variable: &'static str, value: Option<&str>) -> Result<bool, ConfigError> {
    match value {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(text) => Err(wrong(variable, format!("{text:?} is neither true nor false"))),
    }
}

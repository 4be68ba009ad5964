//! What facilitators want to see before they work for us.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde::Deserialize;

use crate::{CredentialsError, cdp::CdpKey, facilitators::Facilitator};

/// The credentials for one facilitator. They are secrets and are never printed.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// It wants none.
    None,
    /// The value of `authorization`.
    Bearer(String),
    /// A key that each request gets a token from.
    Cdp(CdpKey),
}

/// As they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    bearer: Option<String>,
    cdp_key_id: Option<String>,
    cdp_key_secret: Option<String>,
}

impl Credentials {
    /// The value of `authorization` for a POST to this URL.
    pub(crate) fn authorization(
        &self,
        url: &str,
        now: Timestamp,
        random: impl FnOnce() -> [u8; 16],
    ) -> Option<String> {
        match self {
            Self::None => None,
            Self::Bearer(value) => Some(value.clone()),
            Self::Cdp(key) => Some(format!("Bearer {}", key.token(url, now, random()))),
        }
    }
}

/// Reads credentials and gives them to those they are for.
pub(crate) fn give(facilitators: &mut [Facilitator], json: &str) -> Result<(), CredentialsError> {
    if json.trim().is_empty() {
        return Ok(());
    }
    let written: BTreeMap<String, Written> = serde_json::from_str(json)
        .map_err(|it| CredentialsError::NotJson { line: it.line(), column: it.column() })?;
    for (position, (url, written)) in (1..).zip(written) {
        let facilitator = facilitators.iter_mut().find(|it| it.has_url(&url));
        let facilitator = facilitator.ok_or(CredentialsError::Unknown { position })?;
        facilitator.credentials = read(written, position)?;
    }
    Ok(())
}

fn read(written: Written, position: usize) -> Result<Credentials, CredentialsError> {
    let Written { bearer, cdp_key_id, cdp_key_secret } = written;
    let is_fit = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_graphic());
    match (bearer, cdp_key_id, cdp_key_secret) {
        (Some(token), None, None) if is_fit(&token) => {
            Ok(Credentials::Bearer(format!("Bearer {token}")))
        }
        (None, Some(id), Some(secret)) if is_fit(&id) => {
            let key = CdpKey::new(id, &secret).ok_or(CredentialsError::Key { position })?;
            Ok(Credentials::Cdp(key))
        }
        (Some(_), None, None) | (None, Some(_), Some(_)) => {
            Err(CredentialsError::Text { position })
        }
        _ => Err(CredentialsError::Form { position }),
    }
}

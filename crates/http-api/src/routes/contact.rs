//! `/v1/wallet/contact`: where a wallet wants to be told what happens to its spaces.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{StatusCode, Uri, header};
use records::{Contact, Webhook};
use serde::{Deserialize, Serialize};

use crate::{
    Config, Edge, Platform,
    body::JsonBody,
    caller::{Reader, Writer},
    error::ApiError,
};

const URL_LEN_MAX: usize = 2000;
/// Source: RFC 5321, 4.5.3.1.
const EMAIL_LEN_MAX: usize = 254;
const LOCAL_PART_LEN_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactBody {
    webhook_url: Option<String>,
    email: Option<String>,
}

#[derive(Serialize)]
struct ContactView<'a> {
    webhook_url: Option<&'a str>,
    email: Option<&'a str>,
    /// What messages are signed with. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_secret: Option<&'a str>,
}

pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
) -> Result<Response, ApiError> {
    let contact = edge.records().await?.contact(&caller.wallet).await?;
    let webhook = contact.as_ref().and_then(|it| it.webhook.as_ref());
    let view = ContactView {
        webhook_url: webhook.map(|it| it.url.as_str()),
        email: contact.as_ref().and_then(|it| it.email.as_deref()),
        webhook_secret: None,
    };
    Ok(Json(view).into_response())
}

/// In the place of what was there. A webhook gets a new secret each time.
pub(super) async fn set<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Writer(caller): Writer,
    body: JsonBody<ContactBody>,
) -> Result<Response, ApiError> {
    let ContactBody { webhook_url, email } = body.value;
    if webhook_url.is_none() && email.is_none() {
        return Err(ApiError::InvalidContact("a webhook_url, an email, or both"));
    }
    if !webhook_url.as_deref().is_none_or(|it| is_target(it, &edge.config)) {
        return Err(ApiError::InvalidContact(
            "a webhook_url is https://, without a user, of at most 2000 characters",
        ));
    }
    if !email.as_deref().is_none_or(is_email) {
        return Err(ApiError::InvalidContact("an email is one address: name@example.org"));
    }
    let secret: [u8; 24] = edge.platform.random();
    let secret = format!("whsec_{}", BASE64_STANDARD.encode(secret));
    let webhook = webhook_url.map(|url| Webhook { url, secret });
    let contact = Contact { webhook, email };
    let now = edge.platform.now();
    edge.records().await?.set_contact(&caller.wallet, &contact, now).await?;
    let webhook = contact.webhook.as_ref();
    let view = ContactView {
        webhook_url: webhook.map(|it| it.url.as_str()),
        email: contact.email.as_deref(),
        webhook_secret: webhook.map(|it| it.secret.as_str()),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

pub(super) async fn remove<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Writer(caller): Writer,
) -> Result<StatusCode, ApiError> {
    edge.records().await?.remove_contact(&caller.wallet).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether we may post there, as far as can be seen from the URL. Whoever posts looks at where it leads.
fn is_target(url: &str, config: &Config) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    // On a laptop everything is.
    let may_be_plain = config.site.is_loopback();
    let is_scheme = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => may_be_plain,
        _ => false,
    };
    let is_plain = url.bytes().all(|it| it.is_ascii_graphic()) && !url.contains('#');
    is_scheme && is_plain && url.len() <= URL_LEN_MAX && !authority.as_str().contains('@')
}

/// Whether it is one address, of those that mail servers of today take without quotes.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |it: &str| {
        !it.is_empty()
            && it
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&it))
    };
    let is_label = |it: &str| {
        (1..=63).contains(&it.len())
            && it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
            && !it.starts_with('-')
            && !it.ends_with('-')
    };
    text.len() <= EMAIL_LEN_MAX
        && local.len() <= LOCAL_PART_LEN_MAX
        && local.split('.').all(is_atom)
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_one_address() {
        #[rustfmt::skip]
        let rows = [
            ("name@example.org",              true),
            ("first.last+tag@sub.example.org", true),
            ("o'neil@example.org",            true),
            ("name",                          false),
            ("name@example",                  false),
            ("@example.org",                  false),
            ("name@",                         false),
            ("a..b@example.org",              false),
            ("a b@example.org",               false),
            ("a@b@example.org",               false),
            ("a@example.org, b@example.org",  false),
            ("a@example.org\r\nBcc: b@c.de",  false),
            ("Name <a@example.org>",          false),
            ("a@-example.org",                false),
            ("ä@example.org",                 false),
        ];
        for (text, want) in rows {
            assert_eq!(is_email(text), want, "{text}");
        }
        assert!(!is_email(&format!("{}@example.org", "a".repeat(65))));
    }
}

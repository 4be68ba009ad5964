//! What a handler says of a request that costs something.

use axum::response::{IntoResponse, Response};
use domain::Money;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use ledger::Account;
use serde::{Deserialize, Serialize};

use super::in_place::in_place_of;
use crate::error::ApiError;

/// The media type of a quote. With status 402 it makes an answer one.
pub(crate) const QUOTE_TYPE: &str = "application/vnd.spaceport.quote+json";

/// Largest quote that is read, in bytes.
pub(crate) const QUOTE_BYTES_MAX: usize = 16 * 1024;

/// What a request costs and what of it is missing. A handler answers with it instead of doing the
/// work, and the middleware turns it into the challenge to pay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Quote {
    /// What the request costs.
    pub(crate) price: Money,
    /// What is to be paid for it, if there is some money already. All of the price without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<Money>,
    /// What was asked a moment ago, and is still good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) honoured: Vec<Money>,
    /// Where the money goes. With it the handler charges that account itself. Without it the
    /// handler keeps no books: the payer's balance is charged when the handler has done the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<Account>,
    /// What is sold, for people.
    #[serde(default)]
    pub(crate) description: String,
    /// How to call it, for agents: the extension `bazaar` of x402, `info` and `schema`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bazaar: Option<serde_json::Value>,
}

impl Quote {
    /// What is to be paid.
    pub(crate) fn asked(&self) -> Money {
        self.missing.unwrap_or(self.price)
    }

    /// Reads a quote.
    ///
    /// # Errors
    /// What is wrong with it, for the log of whoever wrote the handler.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let quote: Self = serde_json::from_slice(json).map_err(|it| it.to_string())?;
        if quote.asked().is_zero() {
            return Err("nothing is missing".to_owned());
        }
        Ok(quote)
    }

    /// Whether an answer is a quote.
    pub(crate) fn is_one(status: StatusCode, headers: &HeaderMap) -> bool {
        let is_type = |it: &http::HeaderValue| it.as_bytes() == QUOTE_TYPE.as_bytes();
        status == StatusCode::PAYMENT_REQUIRED
            && headers.get(header::CONTENT_TYPE).is_some_and(is_type)
    }
}

impl IntoResponse for Quote {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self).expect("a quote is plain data");
        (StatusCode::PAYMENT_REQUIRED, [(header::CONTENT_TYPE, QUOTE_TYPE)], body).into_response()
    }
}

/// A handler's answer, looked into.
pub(super) enum Opened {
    /// It wants money, and its headers are these.
    Quote(Box<Quote>, HeaderMap),
    /// It does not; or it does, and can't say what.
    Other(Response),
}

/// Looks whether an answer is a quote.
pub(super) async fn opened(response: Response) -> Opened {
    if !Quote::is_one(response.status(), response.headers()) {
        return Opened::Other(response);
    }
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, QUOTE_BYTES_MAX).collect().await;
    let quote = body.map_err(|it| it.to_string()).and_then(|body| Quote::parse(&body.to_bytes()));
    match quote {
        Ok(quote) => Opened::Quote(Box::new(quote), parts.headers),
        Err(reason) => {
            tracing::error!(reason, "the handler's quote is not one");
            let error = ApiError::internal("the handler's quote is not one");
            Opened::Other(in_place_of(parts.headers, error.into_response()))
        }
    }
}

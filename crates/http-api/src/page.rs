//! Lists, a page at a time.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::{Serialize, de::DeserializeOwned};

use crate::error::ApiError;

/// Items of a page if the caller does not say.
const LIMIT_DEFAULT: u32 = 50;
/// Most items of a page.
const LIMIT_MAX: u32 = 200;

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct PageView<T> {
    pub(crate) items: Vec<T>,
    /// What to send as `after` for the next page; null on the last.
    pub(crate) next: Option<String>,
}

impl<T> PageView<T> {
    /// A list that is always short enough for one page.
    pub(crate) const fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// A page of at most `limit` of `items`, of which one more than that was asked for.
    pub(crate) fn of(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = limit < items.len();
        items.truncate(limit);
        let next = if has_more { items.last().map(cursor) } else { None };
        Self { items, next }
    }
}

/// How many items a page is to have.
///
/// # Errors
/// [`ApiError::InvalidQuery`] if it is none or too many.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    match asked.unwrap_or(LIMIT_DEFAULT) {
        limit @ 1..=LIMIT_MAX => Ok(limit),
        _ => Err(ApiError::InvalidQuery(format!("limit is 1 to {LIMIT_MAX}"))),
    }
}

/// The query of a request.
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(value)| Self(value))
            .map_err(|error| ApiError::InvalidQuery(error.body_text()))
    }
}

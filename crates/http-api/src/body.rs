//! Reading bodies, JSON strictly.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
};
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::error::ApiError;

/// Largest body that is read, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// A JSON body, and the bytes it was read from.
pub(crate) struct JsonBody<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(CONTENT_TYPE);
        if !content_type.is_some_and(|it| is_json(it.to_str().unwrap_or_default())) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let bytes = collect(request.into_body()).await?;
        // serde would take an array for a struct: its items for the fields, in their order.
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            return Err(ApiError::InvalidBody("it is an array".to_owned()));
        }
        let value = parse(&bytes)?;
        Ok(Self { value, bytes })
    }
}

/// A body as it came.
pub(crate) struct RawBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        collect(request.into_body()).await.map(Self)
    }
}

/// All of a body.
///
/// # Errors
/// [`ApiError::BodyTooLarge`], or [`ApiError::InvalidBody`] if it breaks off.
pub(crate) async fn collect(body: Body) -> Result<Bytes, ApiError> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::BodyTooLarge(BODY_BYTES_MAX)),
        Err(_) => Err(ApiError::InvalidBody("it ended too early".to_owned())),
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let message = error.to_string();
        match error.classify() {
            Category::Data if message.starts_with("unknown field") => {
                ApiError::UnknownField(message)
            }
            Category::Data => ApiError::InvalidBody(message),
            Category::Io | Category::Syntax | Category::Eof => ApiError::MalformedJson(message),
        }
    })
}

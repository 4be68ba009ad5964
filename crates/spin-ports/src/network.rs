//! Nodes of chains over Spin's outbound HTTP, and the clock.

use std::{pin::pin, time::SystemTime};

use domain::Timestamp;
use evm::{Limits, Network, Reply, SendError, StoreError};
use futures::future::{Either, select};
use http::{Request, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use spin_sdk::http::{FullBody, send};

use crate::{Spin, key_value};

impl Network for Spin {
    async fn post_json(&self, url: &str, body: String, limits: Limits) -> Result<Reply, SendError> {
        // Whichever ends first; the other is dropped, and the connection with it.
        let exchange = pin!(exchange(url, body, limits.bytes));
        let time_is_over = pin!(spin_sdk::time::sleep(limits.time));
        match select(exchange, time_is_over).await {
            Either::Left((reply, _)) => reply,
            Either::Right(((), _)) => Err(SendError::TimedOut),
        }
    }

    async fn load(&self, key: &str) -> Result<Option<String>, StoreError> {
        let value = key_value::load(key).await.map_err(|it| StoreError(it.0))?;
        Ok(value.map(|it| String::from_utf8_lossy(&it).into_owned()))
    }

    async fn store(&self, key: &str, value: String) -> Result<(), StoreError> {
        key_value::store(key, &value).await.map_err(|it| StoreError(it.0))
    }

    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the outermost layer of a component")]
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let unix_ms = since_epoch.unwrap_or_default().as_millis();
        Timestamp::from_unix_ms(i64::try_from(unix_ms).unwrap_or(i64::MAX))
    }
}

async fn exchange(url: &str, body: String, bytes_max: usize) -> Result<Reply, SendError> {
    let request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, body.len())
        .body(FullBody::new(bytes::Bytes::from(body)))
        .map_err(|error| SendError::Unreachable(error.to_string()))?;
    // The kind of the error only: its text may hold what the URL holds.
    let unreachable = |error| SendError::Unreachable(kind(&error));
    let (parts, body) = send(request).await.map_err(unreachable)?.into_parts();
    let body = match Limited::new(body, bytes_max).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) if error.is::<LengthLimitError>() => return Err(SendError::TooLarge),
        Err(_) => return Err(SendError::Unreachable("the answer broke off".to_owned())),
    };
    Ok(Reply { status: parts.status.as_u16(), body })
}

/// The name of an error's variant.
fn kind(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    let name = text.rsplit("ErrorCode::").next().unwrap_or_default();
    name.chars().take_while(char::is_ascii_alphanumeric).collect()
}

//! Whoever is asked over Spin's outbound HTTP, and the clock.

use std::{pin::pin, time::SystemTime};

use bytes::Bytes;
use domain::Timestamp;
use evm::{Limits, Network, Reply, SendError, StoreError};
use futures::future::{Either, select};
use http::{Request, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use spin_sdk::{
    http::{FullBody, send},
    wasip3::http::types::ErrorCode,
};

use crate::{Spin, key_value};

impl Network for Spin {
    async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        limits: Limits,
    ) -> Result<Reply, SendError> {
        let request = request(url, headers, body)?;
        // Whichever ends first; the other is dropped, and the connection with it.
        let exchange = pin!(exchange(request, limits.bytes));
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

fn request(
    url: &str,
    headers: &[(&'static str, String)],
    body: Vec<u8>,
) -> Result<Request<FullBody<Bytes>>, SendError> {
    let is_typed = headers.iter().any(|(name, _)| *name == header::CONTENT_TYPE);
    let mut request = Request::post(url).header(header::CONTENT_LENGTH, body.len());
    if !is_typed {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let request = request.body(FullBody::new(Bytes::from(body)));
    request.map_err(|error| SendError::NotSent(error.to_string()))
}

async fn exchange(request: Request<FullBody<Bytes>>, bytes_max: usize) -> Result<Reply, SendError> {
    let (parts, body) = send(request).await.map_err(|it| failed(&it))?.into_parts();
    let body = match Limited::new(body, bytes_max).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) if error.is::<LengthLimitError>() => return Err(SendError::TooLarge),
        Err(_) => return Err(SendError::Unreachable("the answer broke off".to_owned())),
    };
    Ok(Reply { status: parts.status.as_u16(), body })
}

/// Why there is no head of an answer. The kind of the error only: its text may hold what the URL
/// holds.
fn failed(error: &ErrorCode) -> SendError {
    match error {
        ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DnsError(_)
        | ErrorCode::DnsTimeout
        | ErrorCode::HttpRequestDenied
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::TlsAlertReceived(_)
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsProtocolError => SendError::NotSent(kind(error)),
        // Hosts say the rest of connections that worked for a while, or don't say when.
        _ => SendError::Unreachable(kind(error)),
    }
}

/// The name of an error's variant.
fn kind(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    let name = text.rsplit("ErrorCode::").next().unwrap_or_default();
    name.chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_was_sent_only_if_that_is_certain() {
        let not_sent = |it: &str| SendError::NotSent(it.to_owned());
        let unreachable = |it: &str| SendError::Unreachable(it.to_owned());
        #[rustfmt::skip]
        let rows = [
            (ErrorCode::ConnectionRefused,                          not_sent("ConnectionRefused")),
            (ErrorCode::ConnectionTimeout,                          not_sent("ConnectionTimeout")),
            (ErrorCode::DestinationIpProhibited,                    not_sent("DestinationIpProhibited")),
            (ErrorCode::DestinationUnavailable,                     not_sent("DestinationUnavailable")),
            (ErrorCode::DnsTimeout,                                 not_sent("DnsTimeout")),
            (ErrorCode::HttpRequestDenied,                          not_sent("HttpRequestDenied")),
            (ErrorCode::TlsCertificateError,                        not_sent("TlsCertificateError")),
            (ErrorCode::TlsProtocolError,                           not_sent("TlsProtocolError")),
            (ErrorCode::ConnectionTerminated,                       unreachable("ConnectionTerminated")),
            (ErrorCode::ConnectionReadTimeout,                      unreachable("ConnectionReadTimeout")),
            (ErrorCode::ConnectionWriteTimeout,                     unreachable("ConnectionWriteTimeout")),
            (ErrorCode::HttpResponseIncomplete,                     unreachable("HttpResponseIncomplete")),
            (ErrorCode::HttpProtocolError,                          unreachable("HttpProtocolError")),
            (ErrorCode::InternalError(Some("a secret".to_owned())), unreachable("InternalError")),
        ];
        for (error, want) in rows {
            assert_eq!(failed(&error), want);
        }
    }
}

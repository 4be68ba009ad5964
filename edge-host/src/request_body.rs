//! The body of a request: not too long, not too slow, and read to its end.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Sleep, sleep, timeout};
use wasmtime_wasi_http::Error;

use crate::limits::{
    REQUEST_BODY_BYTES_MAX, REQUEST_BODY_IDLE_MAX, REQUEST_BODY_REST_BYTES_MAX,
    REQUEST_BODY_REST_TIME_MAX,
};

/// A request body that ends in an error when it is too long or its next part too late, and remembers
/// the former.
pub(crate) struct RequestBody {
    /// There until it is dropped.
    body: Option<Incoming>,
    left_bytes: usize,
    is_over: Arc<AtomicBool>,
    /// Running while somebody waits for the next part.
    idle: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    pub(crate) fn new(body: Incoming, is_over: Arc<AtomicBool>) -> Self {
        Self { body: Some(body), left_bytes: REQUEST_BODY_BYTES_MAX, is_over, idle: None }
    }

    /// Whether the client says itself that it is too long.
    pub(crate) fn is_declared_too_long(&self) -> bool {
        let length_max = u64::try_from(REQUEST_BODY_BYTES_MAX).unwrap_or(u64::MAX);
        length_max < self.size_hint().lower()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let Poll::Ready(frame) = Pin::new(body).poll_frame(context) else {
            // Whoever promises a body and does not send it would hold a request's place.
            let idle = this.idle.get_or_insert_with(|| Box::pin(sleep(REQUEST_BODY_IDLE_MAX)));
            return idle.as_mut().poll(context).map(|()| Some(Err(Error::ConnectionReadTimeout)));
        };
        this.idle = None;
        let length = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        Poll::Ready(if let Some(left) = this.left_bytes.checked_sub(length) {
            this.left_bytes = left;
            frame.map(|it| it.map_err(Error::from))
        } else {
            this.is_over.store(true, Ordering::Relaxed);
            Some(Err(Error::HttpRequestBodySize(None)))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

/// What nobody wanted to read is read and thrown away, within bounds: a client that writes its whole
/// body before it reads would otherwise find the connection reset and never see the answer.
///
/// Source: RFC 9112 §9.6.
impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(mut body) = self.body.take().filter(|it| !it.is_end_stream()) else { return };
        tokio::spawn(timeout(REQUEST_BODY_REST_TIME_MAX, async move {
            let mut n_bytes = 0_usize;
            while let Some(Ok(frame)) = body.frame().await {
                n_bytes = n_bytes.saturating_add(frame.data_ref().map_or(0, Bytes::len));
                if REQUEST_BODY_REST_BYTES_MAX < n_bytes {
                    return;
                }
            }
        }));
    }
}

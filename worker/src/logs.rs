//! What the services of a space write to their standard streams.

use bytes::Bytes;
use domain::SpaceId;
use futures::stream::BoxStream;

/// The logs of a space could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The Docker Engine did not give them.
    #[error("Docker does not give the logs")]
    Docker(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Where logs come from.
pub trait LogSource: Send + Sync {
    /// The log lines of `space`: of one service or all of them, beginning with the newest `tail`
    /// lines of each, and going on with what comes later if `follow`.
    fn logs(
        &self,
        space: &SpaceId,
        service: Option<&str>,
        tail: u32,
        follow: bool,
    ) -> BoxStream<'static, Result<Bytes, LogError>>;
}

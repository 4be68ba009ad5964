//! Why a chain could not be asked. For logs, not for clients.

use std::fmt;

use crate::{SendError, endpoint::Endpoint};

/// No endpoint of a chain gave an answer that counts. Worth another try, later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// Which chain.
    pub chain_id: u64,
    /// The endpoints in order of preference, and why each did not serve; none if the chain has no
    /// endpoints.
    pub attempts: Vec<Attempt>,
}

/// What became of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {failure}")]
pub struct Attempt {
    /// Scheme, host and port.
    pub origin: String,
    /// Why there is no answer from it.
    pub failure: Failure,
}

/// Why an endpoint gave no answer that counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It failed so often of late that it is left alone for a while.
    #[error("left alone after failures")]
    Resting,
    /// The others took all the time there was.
    #[error("no time left")]
    OutOfTime,
    /// Nothing came back.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The status is not 200.
    #[error("status {0}")]
    Status(u16),
    /// The body is not the JSON-RPC that was due.
    #[error("not the answer to the question: {0}")]
    Malformed(&'static str),
    /// It is the node of another chain.
    #[error("it serves chain {said}")]
    WrongChain {
        /// The chain it says it serves.
        said: u64,
    },
    /// The node refused, and not because a contract failed.
    #[error("error {code}: {message}")]
    Refused {
        /// The code of JSON-RPC.
        code: i64,
        /// The beginning of what the node says of it.
        message: String,
    },
}

impl Attempt {
    /// Of this endpoint. What others wrote is made fit for a log.
    pub(crate) fn new(endpoint: &Endpoint, failure: Failure) -> Self {
        let failure = match failure {
            Failure::Send(SendError::NotSent(why)) => {
                SendError::NotSent(endpoint.fit_for_log(&why)).into()
            }
            Failure::Send(SendError::Unreachable(why)) => {
                SendError::Unreachable(endpoint.fit_for_log(&why)).into()
            }
            Failure::Refused { code, message } => {
                Failure::Refused { code, message: endpoint.fit_for_log(&message) }
            }
            other => other,
        };
        Self { origin: endpoint.origin().to_owned(), failure }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chain {} could not be asked", self.chain_id)?;
        if self.attempts.is_empty() {
            f.write_str(": it has no endpoints")?;
        }
        for (index, attempt) in self.attempts.iter().enumerate() {
            let separator = if index == 0 { ": " } else { "; " };
            write!(f, "{separator}{attempt}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Unavailable {}

//! How long to ask an edge that does not answer, or not as an edge does.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{CallError, EdgeError};

const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How long the edge may refuse our key before we believe it: its records may be on their way back
/// from a backup.
const KEY_PATIENCE: Duration = Duration::from_mins(1);

/// The patience of one conversation. Says once when the edge goes away, or begins to answer something
/// else, and once when it is back.
#[derive(Debug, Default)]
pub(super) struct Patience {
    failures: u32,
    /// What was said of the failures last.
    said: Option<String>,
    key_refused_since: Option<Instant>,
}

impl Patience {
    /// The edge has answered well.
    pub(super) fn succeeded(&mut self) {
        if 0 < self.failures {
            tracing::info!("the edge answers again");
        }
        *self = Self::default();
    }

    /// Waits until it is time to ask again.
    ///
    /// # Errors
    /// [`EdgeError::UnknownKey`] if there was no other answer for a minute.
    pub(super) async fn endure(&mut self, error: &CallError) -> Result<(), EdgeError> {
        if self.is_over(error, Instant::now()) {
            return Err(EdgeError::UnknownKey);
        }
        let text = error.to_string();
        if self.said.as_ref() != Some(&text) {
            let error: &dyn Error = error;
            if matches!(error.downcast_ref(), Some(CallError::Unavailable(_))) {
                tracing::warn!(error, "going on without the edge, and asking it again");
            } else {
                tracing::error!(
                    error,
                    "going on without the edge, which answers no more as it did"
                );
            }
            self.said = Some(text);
        }
        let pause = PAUSE_MIN.saturating_mul(1 << self.failures.min(10)).min(PAUSE_MAX);
        self.failures = self.failures.saturating_add(1);
        sleep(pause).await;
        Ok(())
    }

    fn is_over(&mut self, error: &CallError, now: Instant) -> bool {
        if !matches!(error, CallError::Edge(EdgeError::UnknownKey)) {
            self.key_refused_since = None;
            return false;
        }
        let since = *self.key_refused_since.get_or_insert(now);
        KEY_PATIENCE < now.saturating_duration_since(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown_key() -> CallError {
        CallError::Edge(EdgeError::UnknownKey)
    }

    fn away() -> CallError {
        CallError::Unavailable("refused".into())
    }

    #[test]
    fn only_a_key_that_is_refused_for_a_minute_is_the_end() {
        type Row = (&'static [(u64, fn() -> CallError)], bool);
        #[rustfmt::skip]
        let rows: [Row; 5] = [
            (&[(0, unknown_key)],                                     false),
            (&[(0, unknown_key), (60, unknown_key)],                  false),
            (&[(0, unknown_key), (61, unknown_key)],                  true),
            (&[(0, unknown_key), (30, away), (61, unknown_key)],      false),
            (&[(0, away), (3600, away)],                              false),
        ];
        let begin = Instant::now();
        for (answers, want) in rows {
            let mut patience = Patience::default();
            let is_over = answers.iter().fold(false, |_, (seconds, error)| {
                patience.is_over(&error(), begin + Duration::from_secs(*seconds))
            });
            assert_eq!(is_over, want, "{:?}", answers.iter().map(|it| it.0).collect::<Vec<_>>());
        }
    }
}

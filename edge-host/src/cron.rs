//! `[[trigger.cron]]`: calls a component when its expression says so.
//!
//! In UTC, seconds first. One run of a trigger ends before its next begins; what came due meanwhile
//! is skipped, as every run catches up. A failure is logged.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};
use wasmtime::Engine;

use crate::{
    host::{Grants, HostState, cron_bindings as bindings},
    limits::REQUEST_TIME_MAX,
};

/// A component and when it runs.
pub(crate) struct CronJob {
    pub(crate) schedule: Schedule,
    pub(crate) engine: Engine,
    pub(crate) component: bindings::CronPre<HostState>,
    pub(crate) grants: Arc<Grants>,
}

/// When a trigger is due.
pub(crate) struct Schedule(Cron);

/// Why an expression is not one.
#[derive(Debug, thiserror::Error)]
#[error("{expression:?} is not a cron expression with seconds first")]
pub struct ScheduleError {
    expression: String,
    #[source]
    source: croner::errors::CronError,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("it trapped or could not start")]
    Trap(#[source] wasmtime::Error),
    #[error("it answered: {0}")]
    Answer(String),
    #[error("it took longer than {} s", REQUEST_TIME_MAX.as_secs())]
    TooLong,
}

impl Schedule {
    /// # Errors
    /// [`ScheduleError`] if `expression` is not one.
    pub(crate) fn parse(expression: &str) -> Result<Self, ScheduleError> {
        let parser = CronParser::builder().seconds(Seconds::Required).build();
        parser
            .parse(expression)
            .map(Self)
            .map_err(|source| ScheduleError { expression: expression.to_owned(), source })
    }

    /// The first time after `now`, if there is one in the foreseeable future.
    fn next_after(&self, now: &DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.find_next_occurrence(now, false).ok()
    }
}

impl CronJob {
    /// Runs for as long as the edge does.
    pub(crate) async fn run_forever(self) {
        while let Some(due) = self.schedule.next_after(&Utc::now()) {
            sleep_until(due).await;
            let component = &*self.grants.component;
            match self.run().await {
                Ok(()) => tracing::debug!(component, "cron run is done"),
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(component, cause, "cron run failed: {error}");
                }
            }
        }
    }

    async fn run(&self) -> Result<(), RunError> {
        let timestamp = u64::try_from(Utc::now().timestamp()).unwrap_or(0);
        let mut store = HostState::store(&self.engine, &self.grants);
        let call = async {
            let instance = self.component.instantiate_async(&mut store).await?;
            instance.call_handle_cron_event(&mut store, bindings::Metadata { timestamp }).await
        };
        match tokio::time::timeout(REQUEST_TIME_MAX, call).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(bindings::Error::Other(text)))) => Err(RunError::Answer(text)),
            Ok(Err(trap)) => Err(RunError::Trap(trap)),
            Err(_) => Err(RunError::TooLong),
        }
    }
}

/// Sleeps in short steps, so that a clock that was set is followed.
async fn sleep_until(due: DateTime<Utc>) {
    while let Ok(left) = (due - Utc::now()).to_std() {
        tokio::time::sleep(left.min(Duration::from_secs(30))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_an_expression_is_due() {
        let rows = [
            ("0 */5 * * * *", "2026-01-01T00:01:00Z", "2026-01-01T00:05:00Z"),
            ("0 */5 * * * *", "2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z"),
            ("* * * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
            ("30 0 0 1 * *", "2026-01-31T00:00:00Z", "2026-02-01T00:00:30Z"),
        ];
        for (expression, now, want) in rows {
            let due = Schedule::parse(expression).unwrap().next_after(&now.parse().unwrap());
            assert_eq!(due, Some(want.parse().unwrap()), "{expression} after {now}");
        }
    }

    #[test]
    fn what_is_not_an_expression() {
        for expression in ["", "* * * * *", "x * * * * *", "60 * * * * *"] {
            assert!(Schedule::parse(expression).is_err(), "{expression:?}");
        }
    }
}

//! Notices to tenants: the edge says which, this host delivers them.
//!
//! See `docs/decisions/0016-metering-and-billing.md`.

mod mail;
mod target;
mod webhook;

use std::time::Duration;

use fleet::{Channel, Delivered, Delivery};
use futures::{StreamExt as _, stream};

pub use self::mail::{Mail, MailError};
use crate::{link::Edge, metrics::metrics};

/// How often the edge is asked for notices.
const PERIOD: Duration = Duration::from_secs(15);

/// How many are delivered at once.
const AT_ONCE: usize = 5;

/// Why a notice was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Problem {
    /// In words, without addresses of people.
    text: String,
    is_final: bool,
}

impl Problem {
    fn again(text: &str) -> Self {
        Self { text: text.to_owned(), is_final: false }
    }

    fn last(text: &str) -> Self {
        Self { text: text.to_owned(), is_final: true }
    }

    fn of(error: target::TargetError) -> Self {
        Self { text: error.to_string(), is_final: error.is_final() }
    }
}

/// Delivers what the edge hands out. Never ends. What is not told in time is delivered again: each notice
/// has an id by which whoever gets it twice knows it.
pub(crate) async fn run(edge: Edge, mail: Option<Mail>) {
    let mut channels = vec![Channel::Webhook];
    channels.extend(mail.as_ref().map(|_| Channel::Email));
    loop {
        match edge.lease_deliveries(&channels).await {
            Some(deliveries) if !deliveries.is_empty() => {
                failpoints::hit("worker:deliver:before");
                let results = deliver_all(&deliveries, mail.as_ref()).await;
                failpoints::hit("worker:deliver:after");
                edge.tell_deliveries(results).await;
            }
            _ => tokio::time::sleep(PERIOD).await,
        }
    }
}

async fn deliver_all(deliveries: &[Delivery], mail: Option<&Mail>) -> Vec<Delivered> {
    let one = async |delivery: &Delivery| {
        let result = deliver(delivery, mail).await;
        metrics().delivery(if result.is_ok() { "delivered" } else { "failed" });
        if let Err(problem) = &result {
            tracing::info!(delivery.id = delivery.id, problem = problem.text, "not delivered");
        }
        let is_final = result.as_ref().is_err_and(|it| it.is_final);
        Delivered { id: delivery.id.clone(), problem: result.err().map(|it| it.text), is_final }
    };
    stream::iter(deliveries).map(one).buffer_unordered(AT_ONCE).collect().await
}

async fn deliver(delivery: &Delivery, mail: Option<&Mail>) -> Result<(), Problem> {
    match (delivery.channel, mail) {
        (Channel::Webhook, _) => webhook::post(delivery).await,
        (Channel::Email, Some(mail)) => mail.send(delivery).await,
        (Channel::Email, None) => Err(Problem::again("this host sends no mail")),
    }
}

#[cfg(test)]
mod mail_tests;
#[cfg(test)]
mod tests;

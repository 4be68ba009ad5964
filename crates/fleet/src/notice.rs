//! Notices to tenants, which workers deliver: they can tell a private address from a public one, and
//! speak SMTP.

use serde::{Deserialize, Serialize};

/// How a notice reaches somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A POST to the tenant's URL.
    Webhook,
    /// A mail.
    Email,
}

/// What a worker can deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseDeliveries {
    /// By which channels.
    pub channels: Vec<Channel>,
}

/// Deliveries that are this worker's for two minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliveries {
    /// At most 20.
    pub items: Vec<Delivery>,
}

/// A notice on its way to somebody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// Which.
    pub id: String,
    /// How.
    pub channel: Channel,
    /// The URL, or the e-mail address.
    pub target: String,
    /// What a mail is about.
    pub subject: String,
    /// The body of the POST, or of the mail.
    pub body: String,
    /// The headers of the POST, its signature among them.
    pub headers: Vec<(String, String)>,
    /// Whether the target may be on a loopback address: so is the edge.
    pub may_be_loopback: bool,
}

impl std::fmt::Debug for Delivery {
    /// Without whom it is for: logs have no addresses of people.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// Which.
    pub id: String,
    /// Why it was not taken; nothing if it was. At most 200 characters, without addresses.
    pub problem: Option<String>,
    /// Whether there is no use in another try.
    pub is_final: bool,
}

/// What became of deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryResults {
    /// At most 20.
    pub items: Vec<Delivered>,
}

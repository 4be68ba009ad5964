//! What edge and worker say to each other over `/fleet/v1`.
//!
//! The worker asks, the edge answers. Every message may be sent twice and arrive late: what is
//! wanted is numbered by generation, and an observation is about one generation.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `PUT /fleet/v1/hello` | [`Hello`] | [`HelloAnswer`] |
//! | `GET /fleet/v1/changes?after=N&wait_seconds=S` | | [`Changes`] |
//! | `POST /fleet/v1/observations` | [`Observations`] | 204 |
//! | `POST /fleet/v1/readings` | [`Readings`] | [`ReadingsAnswer`] |
//! | `PUT /fleet/v1/inventory` | [`Inventory`] | 204 |
//! | `POST /fleet/v1/deliveries/lease` | [`LeaseDeliveries`] | [`Deliveries`] |
//! | `POST /fleet/v1/deliveries/results` | [`DeliveryResults`] | 204 |

mod inventory;
mod key_text;
mod message;
mod notice;
mod reading;
mod ticket;

pub use inventory::{Inventory, InventoryItem};
pub use message::{
    AppOffer, Change, Changes, DesiredSpace, Hello, HelloAnswer, Observation, Observations,
    Suspension,
};
pub use notice::{Channel, Delivered, Deliveries, Delivery, DeliveryResults, LeaseDeliveries};
pub use reading::{Reading, Readings, ReadingsAnswer};
pub use ticket::{Ticket, TicketError, TicketKind};

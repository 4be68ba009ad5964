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

mod key_text;
mod message;
mod ticket;

pub use message::{
    AppOffer, Change, Changes, DesiredSpace, Hello, HelloAnswer, Observation, Observations,
};
pub use ticket::{Ticket, TicketError, TicketKind};

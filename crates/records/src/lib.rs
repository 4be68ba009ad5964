//! The edge's records: hosts, spaces, members, keys, events, payments, transfers, in SQLite.
//!
//! The invariants are in the schema, so no caller can break them; every change of more than one row
//! is one transaction. The statements run wherever [`Database`] is implemented: on Spin's SQLite in
//! a component, on rusqlite in tests.

mod answers;
mod audit;
mod billing;
mod catalogue;
mod changes;
mod contacts;
mod create;
mod database;
mod deliveries;
mod domain_record;
mod domains;
mod events;
mod gauges;
mod hosts;
mod inventory;
mod keys;
mod migrate;
mod observe;
mod operator;
mod paid;
mod payment_record;
mod payments;
mod provision;
mod routes;
mod spaces;
mod transfers;
mod wish;

pub use answers::{Answer, IdempotencyKey, KeyReused};
pub use audit::{Audit, BadAccount, HostFindings, MissingVolumes, Stray, UsageFindings};
pub use billing::{
    InvoiceRecord, LineRecord, PriceRecord, StandingRecord, UsageRecord, UsageWindow,
};
pub use catalogue::HOST_ALIVE;
pub use changes::{WantedSpace, WantedSpaces};
pub use contacts::{Contact, Webhook};
pub use create::{Charge, CreateError, NewSpace};
pub use database::{Database, DatabaseError, Row, Rows, Value};
pub use deliveries::LeasedDelivery;
pub use domain_record::{DomainRecord, DomainState, Proof};
pub use domains::{ClaimError, Look, NewClaim, RemoveError};
pub use events::EventRecord;
pub use gauges::{Gauges, HostGauges};
pub use hosts::{AddHost, HostRecord};
pub use keys::{AddKey, KeyRecord, NewKey};
pub use migrate::MigrateError;
pub use observe::Observed;
pub use paid::{PaidAnswer, Serving, TopUpError};
pub use payment_record::{NewPayment, PaymentRecord};
pub use payments::{Claim, News};
pub use routes::Route;
pub use spaces::{Cursor, Member, Release, SpaceRecord};
pub use transfers::Entry;
pub use wish::{By, Wish, WishError};

/// The records behind one connection.
#[derive(Debug)]
pub struct Records<D> {
    database: D,
}

impl<D: Database> Records<D> {
    /// The records in `database`, which must have been migrated.
    pub const fn new(database: D) -> Self {
        Self { database }
    }
}

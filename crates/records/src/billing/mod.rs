//! What spaces used, what that costs, and how their money stands.

mod accrual;
mod clock;
mod dunning;
mod invoices;
mod lines;
mod prices;
mod readings;
mod standings;
mod usage;

pub(crate) use standings::standing as read_standing;

pub use invoices::InvoiceRecord;
pub use lines::LineRecord;
pub use prices::PriceRecord;
pub use standings::StandingRecord;
pub use usage::{UsageRecord, UsageWindow};

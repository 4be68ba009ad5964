//! Moving money, now or later.

use domain::{Money, Timestamp};

use crate::Account;

/// Money that moves from one account to another, or is held to be moved later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Names it for ever. Whoever wants it to happen chooses the id before the first try, so that
    /// the next try is known to be the same.
    pub id: String,
    /// Where the money comes from.
    pub debit: Account,
    /// Where it goes.
    pub credit: Account,
    /// How much. Never nothing.
    pub amount: Money,
    /// Why.
    pub kind: Kind,
    /// If it is a hold: from when on it may end for the reason alone that nothing happened in time.
    pub expires_at: Option<Timestamp>,
}

/// Why money is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was paid.
    Payment,
    /// A space is made.
    FirstMonth,
    /// Somebody pays for a space.
    TopUp,
    /// A space is gone and has some left.
    Refund,
    /// What it was for was done.
    Charge,
    /// A space was there, and used something.
    Usage,
    /// The operator gives it.
    Grant,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Payment,
        Self::FirstMonth,
        Self::TopUp,
        Self::Refund,
        Self::Charge,
        Self::Usage,
        Self::Grant,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::FirstMonth => "first-month",
            Self::TopUp => "top-up",
            Self::Refund => "refund",
            Self::Charge => "charge",
            Self::Usage => "usage",
            Self::Grant => "grant",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// How a hold ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    /// The money moves.
    Posted,
    /// It stays.
    Voided,
    /// It stays, because nothing happened in time.
    Expired,
}

impl HoldEnd {
    const ALL: [Self; 3] = [Self::Posted, Self::Voided, Self::Expired];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// What became of a transfer, or of the end of a hold, that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the ledger now.
    Created,
    /// The same was in the ledger already.
    Exists,
}

/// Why a transfer was refused. The ledger is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// No money would move.
    #[error("a transfer is of more than nothing")]
    Nothing,
    /// Debit and credit are one account.
    #[error("accounts must be different")]
    SameAccount,
    /// The id is in the ledger, with something else about it.
    #[error("a different transfer has this id")]
    ExistsDifferent,
    /// The account would give what it does not have, or what is held already.
    #[error("the account has not enough")]
    NotEnough,
    /// A total would not fit into 63 bits and a sign.
    #[error("an account's total overflows")]
    Overflow,
}

/// Why a hold was not ended. The ledger is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndError {
    /// No transfer has this id, or it is no hold.
    #[error("there is no such hold")]
    NoSuchHold,
    /// It has ended, with another outcome.
    #[error("the hold has ended with another outcome")]
    EndedDifferently,
    /// Its time is not over.
    #[error("the hold has not expired yet")]
    TooEarly,
    /// A total would not fit into 63 bits and a sign.
    #[error("an account's total overflows")]
    Overflow,
}

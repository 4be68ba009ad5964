//! Why a text is no policy, for the operator who wrote it.

use std::fmt;

use domain::{Wallet, WalletError};

use crate::{AmountError, DecimalsError, Kind, LedgerError, Policy, one_line::one_line};

/// Why a text is no [`Policy`], in one line: `rule 2: contract: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The rule that has to change, counted from 1. What is not about one rule has none.
    pub rule: Option<usize>,
    /// The field that has to change. Empty for the rule or the policy as a whole.
    pub field: String,
    /// What is wrong with it.
    pub flaw: PolicyFlaw,
}

/// What is wrong with a field of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFlaw {
    /// No JSON, another type than the field's, or a field that no rule has.
    #[error("{0}")]
    Malformed(String),
    /// No rule or too many.
    #[error("a policy has 1 to {max} rules, this one has {n_rules}", max = Policy::N_RULES_MAX)]
    NumberOfRules {
        /// How many there are.
        n_rules: usize,
    },
    /// A field that this kind of rule needs is not there.
    #[error("must be there")]
    Missing,
    /// A field that other kinds of rules have.
    #[error("a rule of the kind {kind} has no such field")]
    Foreign {
        /// The kind of the rule.
        kind: Kind,
    },
    /// A name that can't be shown.
    #[error(
        "a label has 1 to {max} characters, not only spaces, and none that control",
        max = Policy::LABEL_LEN_MAX
    )]
    Label,
    /// Chain 0.
    #[error("a chain's id is above 0, such as 1 or 8453")]
    ZeroChain,
    /// Not an address, or its checksum is wrong.
    #[error("{text:?}: {cause}")]
    Address {
        /// What is written.
        text: String,
        /// What is wrong with it.
        cause: WalletError,
    },
    /// The address of nobody.
    #[error("the zero address is nobody's and no contract's")]
    ZeroAddress,
    /// Not an amount of this token.
    #[error("{0}")]
    Amount(AmountError),
    /// Nothing is asked for.
    #[error("must be above 0")]
    ZeroAmount,
    /// More decimals than fit.
    #[error("{0}")]
    Decimals(DecimalsError),
    /// A list with nobody on it.
    #[error("a list has at least one address")]
    NoAddresses,
    /// An address that is on the list already.
    #[error("{address} is on the list twice")]
    Duplicate {
        /// The address.
        address: Wallet,
    },
    /// Not the name of a ledger.
    #[error("{0}")]
    Ledger(LedgerError),
}

impl PolicyError {
    pub(crate) fn new(field: &str, flaw: PolicyFlaw) -> Self {
        Self { rule: None, field: field.to_owned(), flaw }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(number) = self.rule {
            write!(f, "rule {number}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", one_line(&self.field))?;
        }
        self.flaw.fmt(f)
    }
}

impl std::error::Error for PolicyError {}

//! What the gate asks of a wallet.

use std::{collections::BTreeSet, fmt};

use alloy_primitives::{U256, keccak256};
use domain::{Timestamp, Wallet, hex};
use serde::{Deserialize, Serialize};

use crate::{Amount, Ledger, Outcome, PolicyError, Readings, Statement, judge, wire};

/// Rules, and how many of them a wallet has to pass.
///
/// A value of this type has at least one rule and every rule asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(crate) mode: Mode,
    pub(crate) rules: Vec<Rule>,
}

/// How many rules have to pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One.
    Any,
    /// Every one.
    #[default]
    All,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A balance of a fungible token.
    Erc20,
    /// How many tokens of a collection the wallet owns, whichever they are.
    Erc721,
    /// A balance of one token of a collection.
    Erc1155,
    /// A list of addresses in the policy itself.
    Allowlist,
    /// A signed statement on a balance that is on no chain.
    Attestation,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Erc20 => "erc20",
            Self::Erc721 => "erc721",
            Self::Erc1155 => "erc1155",
            Self::Allowlist => "allowlist",
            Self::Attestation => "attestation",
        })
    }
}

/// One condition, with its name for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) label: String,
    pub(crate) condition: Condition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Tokens(Tokens),
    Allowlist(BTreeSet<Wallet>),
    Attestation { issuer: Wallet, ledger: Ledger, required: Amount },
}

/// A balance that a contract keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) standard: Standard,
    pub(crate) chain_id: u64,
    /// The contract's address. The type is that of wallets, which are addresses as well.
    pub(crate) contract: Wallet,
    pub(crate) required: Amount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standard {
    Erc20,
    Erc721,
    Erc1155 { token_id: U256 },
}

impl Condition {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Tokens(Tokens { standard: Standard::Erc20, .. }) => Kind::Erc20,
            Self::Tokens(Tokens { standard: Standard::Erc721, .. }) => Kind::Erc721,
            Self::Tokens(Tokens { standard: Standard::Erc1155 { .. }, .. }) => Kind::Erc1155,
            Self::Allowlist(_) => Kind::Allowlist,
            Self::Attestation { .. } => Kind::Attestation,
        }
    }
}

/// What a rule without a label is called.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens(Tokens { standard, chain_id, contract, required }) => {
                write!(f, "Hold at least {required} ")?;
                match standard {
                    Standard::Erc20 => f.write_str("of the token")?,
                    Standard::Erc721 => f.write_str("of the collection")?,
                    Standard::Erc1155 { token_id } => {
                        write!(f, "of token {token_id} of the collection")?;
                    }
                }
                write!(f, " {contract} on chain {chain_id}.")
            }
            Self::Allowlist(_) => f.write_str("Be on the list."),
            Self::Attestation { issuer, ledger, required } => {
                write!(f, "Hold at least {required} in the ledger {ledger} of {issuer}.")
            }
        }
    }
}

impl Policy {
    /// Most rules of a policy.
    pub const N_RULES_MAX: usize = 16;
    /// Most characters of a rule's label.
    pub const LABEL_LEN_MAX: usize = 100;

    /// Reads a policy as the operator writes it: JSON, in the format of this crate's README.
    ///
    /// # Errors
    /// [`PolicyError`], with the rule and the field.
    pub fn parse(json: &str) -> Result<Self, PolicyError> {
        wire::parse(json)
    }

    /// How many rules have to pass.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The chains that have to be read, each once, in ascending order.
    #[must_use]
    pub fn chain_ids(&self) -> BTreeSet<u64> {
        self.tokens().map(|it| it.chain_id).collect()
    }

    /// Whether the verdict depends on a chain.
    ///
    /// If not, [`judge`] with [`Readings::default`] gives the verdict and nobody is asked.
    #[must_use]
    pub fn needs_chain(&self, wallet: Wallet, statements: &[Statement], now: Timestamp) -> bool {
        let verdict = judge(self, wallet, &Readings::default(), statements, now);
        verdict.outcome == Outcome::Undecided
    }

    /// Keccak-256 of what the policy says, in hex: the same for two texts that say the same.
    ///
    /// For keys of caches. It changes when the operator changes anything, labels too.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex(keccak256(wire::print(self)).as_slice())
    }

    /// The balances that chains keep, in the order of the rules.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &Tokens> {
        self.rules.iter().filter_map(|rule| match &rule.condition {
            Condition::Tokens(tokens) => Some(tokens),
            Condition::Allowlist(_) | Condition::Attestation { .. } => None,
        })
    }
}

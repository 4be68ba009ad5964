//! What the gate says, with reasons.

use domain::Wallet;
use serde::{Deserialize, Serialize};

use crate::{Kind, Mode};

/// What a policy says about a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The verdict itself.
    pub outcome: Outcome,
    /// How many rules had to pass.
    pub mode: Mode,
    /// What each rule says, in the order of the policy.
    pub rules: Vec<RuleVerdict>,
}

/// Whether the gate is open to a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It is.
    Passed,
    /// It is not, whatever could not be read.
    Closed,
    /// It depends on what could not be read. Never to be taken for [`Outcome::Passed`].
    Undecided,
}

/// What one rule says, as clients see it. What its kind doesn't have is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleVerdict {
    /// The rule's name for people.
    pub label: String,
    /// What it looks at.
    pub kind: Kind,
    /// The chain whose balance counts.
    pub chain_id: Option<u64>,
    /// The token's or collection's contract.
    pub contract: Option<Wallet>,
    /// What has to be held, as decimal text: `100`.
    pub required: Option<String>,
    /// What is held, as decimal text: `12.5`. `None` where it is unknown.
    pub held: Option<String>,
    /// Whether it is certain that the wallet passes this rule.
    pub passed: bool,
    /// One sentence for the person whose wallet it is.
    pub detail: String,
}

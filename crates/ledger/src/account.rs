//! Where money is.

use std::{fmt, str::FromStr};

use domain::{SpaceId, Wallet};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where money is, or where it came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// A wallet's prepaid money: `wallet:0x...`.
    Wallet(Wallet),
    /// A space's: `space:spc_...`.
    Space(SpaceId),
    /// What the operator earned: `revenue`.
    Revenue,
    /// What the operator gave away: `grants`. It goes below zero by that.
    Grants,
    /// What was paid with x402, by network and asset: `payments:eip155:8453:0x...`. It is the
    /// outside, so it goes below zero by what came in.
    Payments {
        /// The chain of the network `eip155:<chain id>`.
        chain_id: u64,
        /// The token's contract.
        asset: Wallet,
    },
}

/// A text names no account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an account, such as wallet:0x... or space:spc_...")]
pub struct AccountError;

impl Account {
    /// Whether it may be below zero: what is not ours to give is owed by somebody else.
    #[must_use]
    pub const fn may_be_negative(&self) -> bool {
        matches!(self, Self::Revenue | Self::Grants | Self::Payments { .. })
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wallet(wallet) => write!(f, "wallet:{wallet}"),
            Self::Space(space) => write!(f, "space:{space}"),
            Self::Revenue => f.write_str("revenue"),
            Self::Grants => f.write_str("grants"),
            Self::Payments { chain_id, asset } => {
                write!(f, "payments:eip155:{chain_id}:{asset}")
            }
        }
    }
}

impl FromStr for Account {
    type Err = AccountError;

    fn from_str(text: &str) -> Result<Self, AccountError> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let account = match kind {
            "wallet" => rest.parse().ok().map(Self::Wallet),
            "space" => rest.parse().ok().map(Self::Space),
            "revenue" => Some(Self::Revenue),
            "grants" => Some(Self::Grants),
            "payments" => payments(rest),
            _ => None,
        };
        // One account has one name.
        account.filter(|it| it.to_string() == text).ok_or(AccountError)
    }
}

fn payments(rest: &str) -> Option<Account> {
    let (chain_id, asset) = rest.strip_prefix("eip155:")?.split_once(':')?;
    Some(Account::Payments { chain_id: chain_id.parse().ok()?, asset: asset.parse().ok()? })
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_its_name() {
        let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        #[rustfmt::skip]
        let rows = [
            (format!("wallet:{address}"),                       true),
            ("space:spc_01JD9V6M1WZ0000000000000AB".to_owned(), true),
            ("revenue".to_owned(),                              true),
            ("grants".to_owned(),                               true),
            (format!("payments:eip155:8453:{address}"),         true),
            (format!("wallet:{}", address.to_lowercase()),      false),
            (format!("payments:eip155:08453:{address}"),        false),
            ("revenue:".to_owned(),                             false),
            ("space:garden".to_owned(),                         false),
            ("wallet".to_owned(),                               false),
            (String::new(),                                     false),
        ];
        for (text, is_account) in rows {
            let found = text.parse::<Account>();
            assert_eq!(found.is_ok(), is_account, "{text}");
            assert!(found.is_ok_and(|it| it.to_string() == text) || !is_account);
        }
    }
}

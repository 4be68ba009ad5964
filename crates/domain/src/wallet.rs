//! Who a tenant is: an Ethereum address.

use std::{fmt, str::FromStr};

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

/// An Ethereum address that may sign in and own spaces. Written in EIP-55 mixed case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Wallet(Address);

/// Why a string is not a [`Wallet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// Not `0x` and 40 hexadecimal digits.
    #[error("an address is 0x and 40 hexadecimal digits")]
    Malformed,
    /// Mixed case that is not the EIP-55 checksum: most likely a typing error.
    #[error("the upper and lower case of this address is not its EIP-55 checksum")]
    BadChecksum,
}

impl Wallet {
    /// The address as such.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.0
    }
}

impl From<Address> for Wallet {
    fn from(address: Address) -> Self {
        Self(address)
    }
}

impl FromStr for Wallet {
    type Err = WalletError;

    fn from_str(text: &str) -> Result<Self, WalletError> {
        let digits = text.strip_prefix("0x").ok_or(WalletError::Malformed)?;
        if digits.len() != 40 {
            return Err(WalletError::Malformed);
        }
        let address = Address::from_str(text).map_err(|_| WalletError::Malformed)?;
        let is_one_case = !digits.contains(|it: char| it.is_ascii_uppercase())
            || !digits.contains(|it: char| it.is_ascii_lowercase());
        if !is_one_case && address.to_checksum(None) != text {
            return Err(WalletError::BadChecksum);
        }
        Ok(Self(address))
    }
}

impl TryFrom<String> for Wallet {
    type Error = WalletError;

    fn try_from(text: String) -> Result<Self, WalletError> {
        text.parse()
    }
}

impl From<Wallet> for String {
    fn from(wallet: Wallet) -> Self {
        wallet.to_string()
    }
}

impl fmt::Display for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_checksum(None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_printed_in_mixed_case() {
        let eip55 = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
        #[rustfmt::skip]
        let rows = [
            (eip55.to_owned(),                               Ok(eip55)),
            (eip55.to_lowercase(),                           Ok(eip55)),
            (format!("0x{}", eip55[2..].to_uppercase()),     Ok(eip55)),
            (eip55.replace("Fd", "fd"),                      Err(WalletError::BadChecksum)),
            (eip55[2..].to_owned(),                          Err(WalletError::Malformed)),
            (eip55[..41].to_owned(),                         Err(WalletError::Malformed)),
            (format!("{eip55}0"),                            Err(WalletError::Malformed)),
            (eip55.replace('f', "g"),                        Err(WalletError::Malformed)),
            (String::new(),                                  Err(WalletError::Malformed)),
        ];
        for (text, want) in rows {
            let got = text.parse::<Wallet>().map(|it| it.to_string());
            assert_eq!(got, want.map(str::to_owned), "{text}");
        }
    }
}

//! What a policy has to know of chains: which calls to make, and what their answers say.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall as _;
use domain::Wallet;
use serde::{Deserialize, Serialize};

use crate::{
    Policy,
    policy::{Standard, Tokens},
};

mod abi {
    //! The one function of each standard that is asked.

    alloy_sol_types::sol! {
        /// ERC-20 and ERC-721 have the same signature.
        interface Balance {
            function balanceOf(address owner) external view returns (uint256);
        }
        interface Erc1155Balance {
            function balanceOf(address account, uint256 id) external view returns (uint256);
        }
    }
}

/// A call that reads one balance, to be made against the latest block (`eth_call`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The chain to ask.
    pub chain_id: u64,
    /// The contract that is called.
    pub contract: Address,
    /// The call: selector and arguments.
    pub data: Vec<u8>,
}

impl Read {
    /// The balance in what the contract returned: exactly one 32-byte word.
    ///
    /// Anything else is no balance, and the reading is unknown. So is that of an address without
    /// code, which returns nothing.
    #[must_use]
    pub fn balance(returned: &[u8]) -> Option<U256> {
        <[u8; 32]>::try_from(returned).ok().map(U256::from_be_bytes)
    }
}

/// What the chains said: a balance in base units for each of [`Policy::reads`], in that order, or
/// `None` where it could not be read.
///
/// The default is that nobody asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Readings(Vec<Option<U256>>);

/// One chain rule's part of the [`Readings`].
#[derive(Clone, Copy)]
pub(crate) enum Reading {
    NotAsked,
    Unknown,
    Balance(U256),
}

impl Readings {
    /// The readings in the order of the rules.
    pub(crate) fn each(&self) -> impl Iterator<Item = Reading> {
        self.0.iter().map(|it| it.map_or(Reading::Unknown, Reading::Balance))
    }
}

impl FromIterator<Option<U256>> for Readings {
    fn from_iter<I: IntoIterator<Item = Option<U256>>>(balances: I) -> Self {
        Self(balances.into_iter().collect())
    }
}

impl Policy {
    /// The balances of this wallet that the rules are about, in the order of the rules.
    ///
    /// Source: ERC-20, ERC-721, ERC-1155.
    #[must_use]
    pub fn reads(&self, wallet: Wallet) -> Vec<Read> {
        self.tokens().map(|it| it.read(wallet.address())).collect()
    }
}

impl Tokens {
    fn read(&self, owner: Address) -> Read {
        let data = match self.standard {
            Standard::Erc20 | Standard::Erc721 => {
                abi::Balance::balanceOfCall { owner }.abi_encode()
            }
            Standard::Erc1155 { token_id } => {
                abi::Erc1155Balance::balanceOfCall { account: owner, id: token_id }.abi_encode()
            }
        };
        Read { chain_id: self.chain_id, contract: self.contract.address(), data }
    }
}

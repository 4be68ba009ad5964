//! Where money can come from: the networks, and the token on each.

use alloy_primitives::{Address, address};

/// An EVM network and its USDC.
#[derive(Debug, PartialEq, Eq)]
pub struct Network {
    /// Its chain id (EIP-155).
    pub chain_id: u64,
    /// Its name in version 1 of the protocol. Clients of that version refuse a whole list for one
    /// name that they don't know, so networks without one are not in it.
    pub v1_name: Option<&'static str>,
    /// The token that is asked for: Circle's own, which knows EIP-3009.
    pub usdc: Asset,
}

/// A token with 6 decimals, and the EIP-712 domain that it checks signatures in.
#[derive(Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its contract.
    pub address: Address,
    /// The domain's name.
    pub name: &'static str,
    /// The domain's version.
    pub version: &'static str,
}

/// Source: addresses by Circle; names and versions from the npm packages `@x402/evm` and `x402`,
/// and for chains that these leave out from the tokens' `DOMAIN_SEPARATOR`, as the tests check.
#[rustfmt::skip]
static NETWORKS: [Network; 10] = [
    // chain id                v1 name           token                                                 name
    network(8_453,      Some("base"),           address!("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"), "USD Coin"),
    network(84_532,     Some("base-sepolia"),   address!("0x036CbD53842c5426634e7929541eC2318f3dCF7e"), "USDC"),
    network(1,          None,                   address!("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), "USD Coin"),
    network(11_155_111, None,                   address!("0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238"), "USDC"),
    network(137,        Some("polygon"),        address!("0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359"), "USD Coin"),
    network(80_002,     Some("polygon-amoy"),   address!("0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582"), "USDC"),
    network(42_161,     None,                   address!("0xaf88d065e77c8cC2239327C5EDb3A432268e5831"), "USD Coin"),
    network(10,         None,                   address!("0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85"), "USD Coin"),
    network(43_114,     Some("avalanche"),      address!("0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E"), "USD Coin"),
    network(43_113,     Some("avalanche-fuji"), address!("0x5425890298aed601595a70AB815c96711a31Bc65"), "USD Coin"),
];

const fn network(
    chain_id: u64,
    v1_name: Option<&'static str>,
    address: Address,
    name: &'static str,
) -> Network {
    Network { chain_id, v1_name, usdc: Asset { address, name, version: "2" } }
}

impl Network {
    /// All networks that are known.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &NETWORKS
    }

    /// The network with this chain id.
    #[must_use]
    pub fn of_chain(chain_id: u64) -> Option<&'static Self> {
        NETWORKS.iter().find(|it| it.chain_id == chain_id)
    }

    /// The network that version 2 calls so: `eip155:8453`.
    ///
    /// Source: CAIP-2.
    #[must_use]
    pub fn of_caip2(text: &str) -> Option<&'static Self> {
        NETWORKS.iter().find(|it| it.caip2() == text)
    }

    /// The network that version 1 calls so: `base`.
    #[must_use]
    pub fn of_v1_name(text: &str) -> Option<&'static Self> {
        NETWORKS.iter().find(|it| it.v1_name == Some(text))
    }

    /// Its name in version 2.
    #[must_use]
    pub fn caip2(&self) -> String {
        format!("eip155:{}", self.chain_id)
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, b256};

    use super::*;
    use crate::authorization::token_domain;

    #[test]
    fn a_network_is_found_by_each_of_its_names() {
        for network in Network::all() {
            assert_eq!(Network::of_chain(network.chain_id), Some(network));
            assert_eq!(Network::of_caip2(&network.caip2()), Some(network));
            if let Some(name) = network.v1_name {
                assert_eq!(Network::of_v1_name(name), Some(network));
            }
        }
        #[rustfmt::skip]
        let rows = ["", "eip155:", "eip155:8454", "eip155:08453", "EIP155:8453", "8453", "base", "solana:8453"];
        for text in rows {
            assert_eq!(Network::of_caip2(text), None, "{text}");
        }
        for text in ["", "Base", "ethereum", "eip155:8453"] {
            assert_eq!(Network::of_v1_name(text), None, "{text}");
        }
    }

    #[test]
    fn names_and_versions_are_those_that_the_tokens_hash() {
        // What DOMAIN_SEPARATOR() of the tokens answers.
        #[rustfmt::skip]
        let rows: [(u64, B256); 8] = [
            (8_453,  b256!("0x02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f")),
            (84_532, b256!("0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818")),
            (1,      b256!("0x06c37168a7db5138defc7866392bb87a741f9b3d104deb5094588ce041cae335")),
            (137,    b256!("0xcaa2ce1a5703ccbe253a34eb3166df60a705c561b44b192061e28f2a985be2ca")),
            (80_002, b256!("0x5cddc98319864e897e4469bd1d13c2288c677047b54b8cca12bd342adb6be9eb")),
            (42_161, b256!("0x08d11903f8419e68b1b8721bcbe2e9fc68569122a77ef18c216f10b3b5112c78")),
            (10,     b256!("0x26d9c34bb1a1c312f69c53b2d93b8be20faafba63af2438c6811713c9b1f933f")),
            (43_114, b256!("0xbbea200329a938bc3438984a49cb0732e66d66d7bd59c127abacc1710e77f7b3")),
        ];
        for (chain_id, want) in rows {
            let network = Network::of_chain(chain_id).unwrap();
            assert_eq!(token_domain(network).separator(), want, "{chain_id}");
        }
    }
}

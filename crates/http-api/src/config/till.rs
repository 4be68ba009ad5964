//! Being paid: who, on which networks, and by whose hand.

use std::fmt;

use domain::Wallet;
use facilitator::{Facilitators, FacilitatorsError};
use k256::ecdsa::SigningKey;
use x402::Network;

use super::values::{ConfigError, list, wrong};

/// The till, as the operator configured it.
#[derive(Clone)]
pub struct TillConfig {
    /// Who is paid.
    pub(crate) pay_to: Wallet,
    /// On which networks, those that are preferred first.
    pub(crate) networks: Vec<&'static Network>,
    /// Who settles, those that are preferred first.
    pub(crate) facilitators: Facilitators,
    /// Signs what we offer and what was paid.
    pub(crate) key: SigningKey,
}

impl TillConfig {
    /// The till; none without somebody who is paid. All that is given is checked also then, so that
    /// it can be turned on without surprises.
    pub(super) fn parse(
        get: impl Fn(&str) -> Option<String>,
        offer_key: &[u8; 32],
    ) -> Result<Option<Self>, ConfigError> {
        let pay_to = get("x402_pay_to").map(|it| pay_to(&it)).transpose()?;
        let networks = get("x402_networks").unwrap_or_else(|| "eip155:8453".to_owned());
        let networks = parse_networks(&networks)?;
        let credentials = get("x402_facilitator_credentials");
        let facilitators = match get("x402_facilitator_url") {
            Some(urls) => Some(
                Facilitators::parse(&urls, credentials.as_deref().unwrap_or_default()).map_err(
                    |error| {
                        let variable = match error {
                            FacilitatorsError::Credentials(_) => "x402_facilitator_credentials",
                            _ => "x402_facilitator_url",
                        };
                        wrong(variable, error.to_string())
                    },
                )?,
            ),
            None if credentials.is_some() => {
                let problem = "are for nobody: x402_facilitator_url is missing";
                return Err(wrong("x402_facilitator_credentials", problem));
            }
            None => None,
        };
        let Some(pay_to) = pay_to else { return Ok(None) };
        let facilitators = facilitators
            .ok_or_else(|| wrong("x402_facilitator_url", "is missing, and x402_pay_to is set"))?;
        let key = SigningKey::from_slice(offer_key)
            .map_err(|_| wrong("session_key", "can't sign offers, by a rare chance: change it"))?;
        Ok(Some(Self { pay_to, networks, facilitators, key }))
    }

    /// Where facilitators are: scheme, host and port.
    #[must_use]
    pub fn origins(&self) -> Vec<String> {
        self.facilitators.origins()
    }

    /// The networks by their names of CAIP-2.
    pub(crate) fn network_ids(&self) -> Vec<String> {
        self.networks.iter().map(|it| it.caip2()).collect()
    }

    /// The address of the key that signs offers and receipts.
    pub(crate) fn signer(&self) -> Wallet {
        evm::address_of(self.key.verifying_key()).into()
    }
}

impl fmt::Debug for TillConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TillConfig").field("pay_to", &self.pay_to).finish_non_exhaustive()
    }
}

fn pay_to(text: &str) -> Result<Wallet, ConfigError> {
    let wallet: Wallet =
        text.parse().map_err(|error| wrong("x402_pay_to", format!("{text:?}: {error}")))?;
    if wallet.address().is_zero() {
        return Err(wrong("x402_pay_to", "nobody has the address zero"));
    }
    Ok(wallet)
}

fn parse_networks(text: &str) -> Result<Vec<&'static Network>, ConfigError> {
    let mut networks: Vec<&'static Network> = Vec::new();
    for text in list(Some(text)) {
        let network = network(text)?;
        if networks.iter().any(|it| it.chain_id == network.chain_id) {
            return Err(wrong("x402_networks", format!("{text:?} is there twice")));
        }
        networks.push(network);
    }
    if networks.is_empty() {
        return Err(wrong("x402_networks", "has no network in it"));
    }
    Ok(networks)
}

fn network(text: &str) -> Result<&'static Network, ConfigError> {
    Network::of_caip2(text).ok_or_else(|| {
        let known: Vec<String> = Network::all().iter().map(Network::caip2).collect();
        wrong("x402_networks", format!("{text:?} is none of {}", known.join(" ")))
    })
}

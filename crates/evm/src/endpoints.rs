//! Which nodes are asked about which chain.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use crate::endpoint::{Endpoint, UrlError};

/// The endpoints of each chain, in order of preference.
///
/// Read from JSON: `{"8453": ["https://a.example/key", "https://b.example"], "1": [...]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<u64, Vec<Endpoint>>);

/// Why a text is not a list of [`Endpoints`].
///
/// URLs are named by where they stand, because they hold keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointsError {
    /// It is not JSON, or not of the form. What the parser says of it may quote a URL, so only
    /// the place is kept.
    #[error("this is not JSON like {{\"1\": [\"https://...\"]}} (line {line}, column {column})")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// A chain id is not a number, or zero, or begins with a zero, or does not fit 64 bits.
    #[error("a chain id is a positive decimal number, not {found:?}")]
    ChainId {
        /// The beginning of what stands in its place.
        found: String,
    },
    /// A chain has a list without URLs.
    #[error("chain {chain_id}: the list is empty")]
    Empty {
        /// Which chain.
        chain_id: u64,
    },
    /// A URL is not one.
    #[error("chain {chain_id}: URL {position}: {wrong}")]
    Url {
        /// Which chain.
        chain_id: u64,
        /// Which of the list, counted from 1.
        position: usize,
        /// What is wrong with it.
        wrong: UrlError,
    },
    /// A URL is in the list of a chain twice.
    #[error("chain {chain_id}: URL {position} is there twice")]
    Twice {
        /// Which chain.
        chain_id: u64,
        /// Where it is the second time, counted from 1.
        position: usize,
    },
}

impl Endpoints {
    /// Whether there is an endpoint for this chain.
    #[must_use]
    pub fn has(&self, chain_id: u64) -> bool {
        self.0.contains_key(&chain_id)
    }

    /// The chain, if there are endpoints of one only.
    #[must_use]
    pub fn only_chain(&self) -> Option<u64> {
        let mut chains = self.0.keys();
        chains.next().filter(|_| chains.next().is_none()).copied()
    }

    /// Every origin, sorted, once: `https://node.example:443`. What a component that asks chains
    /// must be allowed to reach.
    #[must_use]
    pub fn origins(&self) -> Vec<String> {
        let origins: BTreeSet<&str> = self.0.values().flatten().map(Endpoint::origin).collect();
        origins.into_iter().map(str::to_owned).collect()
    }

    /// The endpoints of this chain; none if it is not one of ours.
    pub(crate) fn of(&self, chain_id: u64) -> &[Endpoint] {
        self.0.get(&chain_id).map_or(&[], Vec::as_slice)
    }
}

impl FromStr for Endpoints {
    type Err = EndpointsError;

    fn from_str(json: &str) -> Result<Self, EndpointsError> {
        let lists: BTreeMap<String, Vec<String>> = serde_json::from_str(json)
            .map_err(|it| EndpointsError::NotJson { line: it.line(), column: it.column() })?;
        let chains = lists.iter().map(|(chain_id, urls)| {
            let chain_id = parse_chain_id(chain_id)?;
            Ok((chain_id, parse_list(chain_id, urls)?))
        });
        chains.collect::<Result<_, _>>().map(Self)
    }
}

fn parse_chain_id(text: &str) -> Result<u64, EndpointsError> {
    let is_canonical = text.bytes().all(|it| it.is_ascii_digit()) && !text.starts_with('0');
    let chain_id = if is_canonical { text.parse().ok() } else { None };
    // Not the whole: somebody may have written a URL there.
    chain_id.ok_or_else(|| EndpointsError::ChainId { found: text.chars().take(8).collect() })
}

fn parse_list(chain_id: u64, urls: &[String]) -> Result<Vec<Endpoint>, EndpointsError> {
    let mut list: Vec<Endpoint> = Vec::new();
    for (position, url) in (1..).zip(urls) {
        let endpoint = url.parse::<Endpoint>();
        let endpoint =
            endpoint.map_err(|wrong| EndpointsError::Url { chain_id, position, wrong })?;
        if list.contains(&endpoint) {
            return Err(EndpointsError::Twice { chain_id, position });
        }
        list.push(endpoint);
    }
    if list.is_empty() {
        return Err(EndpointsError::Empty { chain_id });
    }
    Ok(list)
}

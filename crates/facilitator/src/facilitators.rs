//! Which facilitators there are.

use std::{collections::BTreeSet, fmt};

use evm::Endpoint;

use crate::{
    FacilitatorsError,
    credentials::{self, Credentials},
};

/// The facilitators that are asked to settle payments, in order of preference.
#[derive(Clone)]
pub struct Facilitators(Vec<Facilitator>);

/// One of them.
#[derive(Clone)]
pub(crate) struct Facilitator {
    /// Where payments are sent: its URL and `/settle`.
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
}

impl Facilitators {
    /// Reads URLs, in order of preference and separated by white space or commas, and the
    /// credentials for some of them.
    ///
    /// - `urls`: http or https, with or without a path, without a query.
    /// - `credentials`: nothing, or JSON that has for a URL a token,
    ///   `{"https://a.example": {"bearer": "..."}}`, or a key of Coinbase's Developer Platform,
    ///   `{"https://a.example": {"cdp_key_id": "...", "cdp_key_secret": "..."}}`.
    ///
    /// # Errors
    /// [`FacilitatorsError`]; it has no secret in it.
    pub fn parse(urls: &str, credentials: &str) -> Result<Self, FacilitatorsError> {
        let urls = urls.split(|it: char| it.is_whitespace() || it == ',');
        let mut facilitators: Vec<Facilitator> = Vec::new();
        for (position, url) in (1..).zip(urls.filter(|it| !it.is_empty())) {
            let endpoint = parse_endpoint(url, position)?;
            if facilitators.iter().any(|it| it.endpoint == endpoint) {
                return Err(FacilitatorsError::Twice { position });
            }
            facilitators.push(Facilitator { endpoint, credentials: Credentials::None });
        }
        if facilitators.is_empty() {
            return Err(FacilitatorsError::Empty);
        }
        credentials::give(&mut facilitators, credentials)
            .map_err(FacilitatorsError::Credentials)?;
        Ok(Self(facilitators))
    }

    /// Every origin, sorted, once: `https://facilitator.example:443`. What a component that asks
    /// facilitators must be allowed to reach.
    #[must_use]
    pub fn origins(&self) -> Vec<String> {
        let origins: BTreeSet<&str> = self.0.iter().map(|it| it.endpoint.origin()).collect();
        origins.into_iter().map(str::to_owned).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Facilitator> {
        self.0.iter()
    }
}

impl Facilitator {
    /// Whether this is the one with that URL.
    pub(crate) fn has_url(&self, url: &str) -> bool {
        self.endpoint.url() == settle_url(url)
    }
}

impl fmt::Debug for Facilitators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|it| &it.endpoint)).finish()
    }
}

fn parse_endpoint(url: &str, position: usize) -> Result<Endpoint, FacilitatorsError> {
    let wrong = |wrong| FacilitatorsError::Url { position, wrong };
    // As it was written first, so that what is wrong with it is not hidden by what is added.
    url.parse::<Endpoint>().map_err(wrong)?;
    if url.contains('?') {
        return Err(FacilitatorsError::Query { position });
    }
    settle_url(url).parse().map_err(wrong)
}

fn settle_url(url: &str) -> String {
    format!("{}/settle", url.trim_end_matches('/'))
}

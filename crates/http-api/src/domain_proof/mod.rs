//! Whether a domain is its claimant's, by what its owner wrote into DNS.
//!
//! Two proofs are good: a text at `_spaceport.<domain>` that only this space could have been given,
//! or that the domain is another name (`CNAME`) of the space's own. That one is made of the space's
//! id, not of its name: a name that is freed and taken by somebody else would take with it the
//! domains that still point at it.
//!
//! A component has no sockets, so DNS is asked over HTTPS. What can't be asked proves nothing.
//!
//! The wire format is `simple-dns`'s: it needs `bitflags` and nothing else. `hickory-proto` brings
//! an IDNA table and a generator of random numbers into every component, `domain` brings a calendar.

mod ask;
mod message;
mod policy;

use domain::{CustomDomain, SpaceId};
use evm::Network;
use futures::future::join;
use records::{Look, Proof};
use serde::Serialize;

use crate::Config;

use ask::ask;
use message::{Asked, Found};

pub(crate) use policy::{own_host, parse};

/// What stands before the token in the text.
const TEXT_PREFIX: &str = "spaceport-verification=";

/// A record that proves a domain, as its owner writes it into DNS.
#[derive(Debug, Serialize)]
pub(crate) struct ProofView {
    #[serde(rename = "type")]
    kind: Proof,
    name: String,
    value: String,
}

/// The claim of a space on a domain, and what proves it.
pub(crate) struct Claim<'a> {
    pub(crate) space: &'a SpaceId,
    pub(crate) domain: &'a CustomDomain,
    pub(crate) config: &'a Config,
}

impl Claim<'_> {
    /// The records of which one proves the claim.
    pub(crate) fn proofs(&self) -> [ProofView; 2] {
        let token = self.config.keys.domain_token(self.space, self.domain);
        [
            ProofView {
                kind: Proof::Txt,
                name: self.domain.proof_name(),
                value: format!("{TEXT_PREFIX}{token}"),
            },
            ProofView { kind: Proof::Cname, name: self.domain.to_string(), value: self.own_name() },
        ]
    }

    /// The space's own name in DNS, for ever.
    fn own_name(&self) -> String {
        format!("{}.{}", self.space.docker_name(), self.config.base_domain)
    }

    /// Looks for the proof at the resolver `url`.
    pub(crate) async fn look(&self, network: &impl Network, url: &str) -> Look {
        let (text_name, name) = (self.domain.proof_name(), self.domain.as_str());
        let (texts, cname) =
            join(ask(network, url, &text_name, Asked::Txt), ask(network, url, name, Asked::Cname))
                .await;
        let is_text = |it: &String| self.is_text(it);
        let is_cname = |it: &String| it.eq_ignore_ascii_case(&self.own_name());
        let has_text = texts.as_ref().is_ok_and(|it| it.iter().any(is_text));
        let has_cname = cname.as_ref().is_ok_and(|it| it.iter().any(is_cname));
        match (has_text, has_cname) {
            (true, _) => Ok(Proof::Txt),
            (_, true) => Ok(Proof::Cname),
            _ => Err(self.problem(texts, cname)),
        }
    }

    /// Whether a text at the right place is the right one. Some put quotes around it.
    fn is_text(&self, text: &str) -> bool {
        let text = text.trim_matches(|it: char| it == '"' || it.is_ascii_whitespace());
        let token = text.strip_prefix(TEXT_PREFIX);
        token.is_some_and(|it| self.config.keys.is_domain_token(it, self.space, self.domain))
    }

    /// Why there is no proof, for people.
    fn problem(&self, texts: Found, cname: Found) -> String {
        let (text_name, domain) = (self.domain.proof_name(), self.domain);
        match (texts, cname) {
            (Err(error), _) | (_, Err(error)) => {
                format!("DNS could not be asked: {error}; it is asked again")
            }
            (Ok(texts), Ok(cname)) => match (texts.is_empty(), cname.is_empty()) {
                (true, true) => format!(
                    "there is no TXT record at {text_name}, nor is {domain} a CNAME; what has just \
                     been written can take some minutes to be seen"
                ),
                (false, _) => format!("the TXT record at {text_name} has another value"),
                (true, false) => format!("{domain} is a CNAME of another name"),
            },
        }
    }
}

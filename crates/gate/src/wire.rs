//! A policy as JSON, both ways.

use std::collections::BTreeSet;

use domain::Wallet;
use serde::{Deserialize, Serialize};
use serde_path_to_error::Segment;

use crate::{
    Amount, Decimals, Kind, Ledger, Mode, Policy, PolicyError, PolicyFlaw,
    one_line::one_line,
    policy::{Condition, Rule, Standard, Tokens},
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with the member rules")]
struct PolicyWire {
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    rules: Vec<RuleWire>,
}

/// The fields of all kinds. Which of them a rule has to have is checked by hand, to say it better.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct RuleWire {
    kind: Option<Kind>,
    label: Option<String>,
    chain_id: Option<u64>,
    contract: Option<String>,
    token_id: Option<Quantity>,
    required: Option<Quantity>,
    decimals: Option<u8>,
    addresses: Option<Vec<String>>,
    issuer: Option<String>,
    ledger: Option<String>,
}

/// A number that may be too large for JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a decimal string, such as \"100\", or a whole number")]
enum Quantity {
    Text(String),
    Whole(u64),
}

/// See [`Policy::parse`].
pub(crate) fn parse(json: &str) -> Result<Policy, PolicyError> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let wire: PolicyWire =
        serde_path_to_error::deserialize(&mut reader).map_err(|it| malformed(&it))?;
    reader
        .end()
        .map_err(|it| PolicyError::new("", PolicyFlaw::Malformed(one_line(&it.to_string()))))?;

    let n_rules = wire.rules.len();
    if n_rules == 0 || Policy::N_RULES_MAX < n_rules {
        return Err(PolicyError::new("rules", PolicyFlaw::NumberOfRules { n_rules }));
    }
    let rules =
        wire.rules.into_iter().zip(1..).map(|(wire, number)| {
            rule(wire).map_err(|it| PolicyError { rule: Some(number), ..it })
        });
    Ok(Policy { mode: wire.mode, rules: rules.collect::<Result<_, _>>()? })
}

/// The policy in one line and one spelling, which [`parse`] reads back.
pub(crate) fn print(policy: &Policy) -> String {
    let rules = policy.rules.iter().map(RuleWire::from).collect();
    let wire = PolicyWire { mode: policy.mode, rules };
    serde_json::to_string(&wire).expect("strings and numbers have a JSON form")
}

/// What serde found, with the place in our words.
fn malformed(error: &serde_path_to_error::Error<serde_json::Error>) -> PolicyError {
    let segments: Vec<_> = error.path().iter().collect();
    let (rule, field) = match segments.as_slice() {
        [Segment::Map { key }, Segment::Seq { index }, field @ ..] if key == "rules" => {
            (Some(index.saturating_add(1)), field.first())
        }
        field => (None, field.first()),
    };
    let field = match field {
        Some(Segment::Map { key }) => key.clone(),
        _ => String::new(),
    };
    PolicyError { rule, field, flaw: PolicyFlaw::Malformed(one_line(&error.inner().to_string())) }
}

fn rule(mut wire: RuleWire) -> Result<Rule, PolicyError> {
    let kind = present("kind", wire.kind)?;
    let condition = match kind {
        Kind::Erc20 => Condition::Tokens(wire.tokens(Standard::Erc20)?),
        Kind::Erc721 => Condition::Tokens(wire.tokens(Standard::Erc721)?),
        Kind::Erc1155 => {
            let token_id = present("token_id", wire.token_id.take())?;
            let token_id = amount("token_id", &token_id, Decimals::NONE)?.base_units();
            Condition::Tokens(wire.tokens(Standard::Erc1155 { token_id })?)
        }
        Kind::Allowlist => {
            let texts = present("addresses", wire.addresses.take())?;
            Condition::Allowlist(addresses(&texts)?)
        }
        Kind::Attestation => Condition::Attestation {
            issuer: address("issuer", &present("issuer", wire.issuer.take())?)?,
            ledger: ledger(present("ledger", wire.ledger.take())?)?,
            required: wire.required(true)?,
        },
    };
    let label = match wire.label.take() {
        Some(text) => label(text)?,
        None => condition.to_string(),
    };
    // What this kind has was taken out above.
    match wire.first_field() {
        Some(field) => Err(PolicyError::new(field, PolicyFlaw::Foreign { kind })),
        None => Ok(Rule { label, condition }),
    }
}

impl RuleWire {
    fn tokens(&mut self, standard: Standard) -> Result<Tokens, PolicyError> {
        let chain_id = present("chain_id", self.chain_id.take())?;
        if chain_id == 0 {
            return Err(PolicyError::new("chain_id", PolicyFlaw::ZeroChain));
        }
        let contract = address("contract", &present("contract", self.contract.take())?)?;
        let required = self.required(standard == Standard::Erc20)?;
        Ok(Tokens { standard, chain_id, contract, required })
    }

    /// The amount that is asked for, in whole tokens where the kind has them.
    fn required(&mut self, has_decimals: bool) -> Result<Amount, PolicyError> {
        let decimals = if has_decimals { self.decimals.take() } else { None };
        let decimals = Decimals::try_from(decimals.unwrap_or_default())
            .map_err(|it| PolicyError::new("decimals", PolicyFlaw::Decimals(it)))?;
        let quantity = present("required", self.required.take())?;
        let required = amount("required", &quantity, decimals)?;
        if required.base_units().is_zero() {
            return Err(PolicyError::new("required", PolicyFlaw::ZeroAmount));
        }
        Ok(required)
    }

    /// The name of a field that is there, other than kind and label.
    fn first_field(&self) -> Option<&'static str> {
        let fields = [
            ("chain_id", self.chain_id.is_some()),
            ("contract", self.contract.is_some()),
            ("token_id", self.token_id.is_some()),
            ("required", self.required.is_some()),
            ("decimals", self.decimals.is_some()),
            ("addresses", self.addresses.is_some()),
            ("issuer", self.issuer.is_some()),
            ("ledger", self.ledger.is_some()),
        ];
        fields.into_iter().find_map(|(name, is_there)| is_there.then_some(name))
    }
}

fn present<T>(field: &str, value: Option<T>) -> Result<T, PolicyError> {
    value.ok_or_else(|| PolicyError::new(field, PolicyFlaw::Missing))
}

fn amount(field: &str, quantity: &Quantity, decimals: Decimals) -> Result<Amount, PolicyError> {
    let amount = match quantity {
        Quantity::Text(text) => Amount::parse(text, decimals),
        Quantity::Whole(number) => Amount::parse(&number.to_string(), decimals),
    };
    amount.map_err(|it| PolicyError::new(field, PolicyFlaw::Amount(it)))
}

fn address(field: &str, text: &str) -> Result<Wallet, PolicyError> {
    let address: Wallet = text.parse().map_err(|cause| {
        PolicyError::new(field, PolicyFlaw::Address { text: text.to_owned(), cause })
    })?;
    if address.address().is_zero() {
        return Err(PolicyError::new(field, PolicyFlaw::ZeroAddress));
    }
    Ok(address)
}

fn addresses(texts: &[String]) -> Result<BTreeSet<Wallet>, PolicyError> {
    let mut addresses = BTreeSet::new();
    for text in texts {
        let address = address("addresses", text)?;
        if !addresses.insert(address) {
            return Err(PolicyError::new("addresses", PolicyFlaw::Duplicate { address }));
        }
    }
    if addresses.is_empty() {
        return Err(PolicyError::new("addresses", PolicyFlaw::NoAddresses));
    }
    Ok(addresses)
}

fn ledger(text: String) -> Result<Ledger, PolicyError> {
    Ledger::try_from(text).map_err(|it| PolicyError::new("ledger", PolicyFlaw::Ledger(it)))
}

fn label(text: String) -> Result<String, PolicyError> {
    let is_label = !text.trim().is_empty()
        && text.chars().count() <= Policy::LABEL_LEN_MAX
        && !text.chars().any(char::is_control);
    if is_label { Ok(text) } else { Err(PolicyError::new("label", PolicyFlaw::Label)) }
}

impl From<&Rule> for RuleWire {
    fn from(rule: &Rule) -> Self {
        let (kind, label) = (Some(rule.condition.kind()), Some(rule.label.clone()));
        let quantity = |it: &Amount| Some(Quantity::Text(it.to_string()));
        match &rule.condition {
            Condition::Tokens(Tokens { standard, chain_id, contract, required }) => Self {
                kind,
                label,
                chain_id: Some(*chain_id),
                contract: Some(contract.to_string()),
                token_id: match standard {
                    Standard::Erc1155 { token_id } => Some(Quantity::Text(token_id.to_string())),
                    Standard::Erc20 | Standard::Erc721 => None,
                },
                required: quantity(required),
                decimals: (*standard == Standard::Erc20).then(|| required.decimals().into()),
                ..Self::default()
            },
            Condition::Allowlist(addresses) => Self {
                kind,
                label,
                addresses: Some(addresses.iter().map(Wallet::to_string).collect()),
                ..Self::default()
            },
            Condition::Attestation { issuer, ledger, required } => Self {
                kind,
                label,
                issuer: Some(issuer.to_string()),
                ledger: Some(ledger.to_string()),
                required: quantity(required),
                decimals: Some(required.decimals().into()),
                ..Self::default()
            },
        }
    }
}

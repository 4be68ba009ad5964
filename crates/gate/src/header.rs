//! The header field `Gate-Attestation`: statements on their way to the gate.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Wallet;
use serde::{Deserialize, Serialize};

use crate::{Amount, AmountError, Decimals, Ledger, Statement, one_line::one_line};

/// Why a field is no list of statements.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The field as a whole is too long.
    #[error("statements take at most {max} bytes, these take {len_bytes}", max = Statement::HEADER_LEN_BYTES_MAX)]
    TooLong {
        /// Length of the field.
        len_bytes: usize,
    },
    /// There are too many.
    #[error("a request has at most {max} statements, this one has {n_statements}", max = Statement::N_MAX)]
    TooMany {
        /// How many there are.
        n_statements: usize,
    },
    /// One of them is no statement.
    #[error("statement {number}: {flaw}")]
    Flawed {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        flaw: StatementFlaw,
    },
}

/// What keeps a text from being a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementFlaw {
    /// Not base64url, or with padding, or nothing at all.
    #[error("must be JSON in base64url without padding")]
    NotBase64,
    /// Not JSON, or other members than a statement has, or one of another type.
    #[error("{0}")]
    NotStatement(String),
    /// The amount is too long to be one.
    #[error("amount: has 1 to {max} digits", max = AMOUNT_DIGITS_MAX)]
    AmountTooLong,
    /// The amount is no whole number of 256 bits.
    #[error("amount: {0}")]
    Amount(AmountError),
    /// The signature is longer than any that is taken.
    #[error("signature: has at most {max} characters", max = SIGNATURE_LEN_MAX)]
    SignatureTooLong,
}

/// The digits of 2^256.
const AMOUNT_DIGITS_MAX: usize = 78;
/// More than the 132 of a signature that counts, so that a wrong one is told what it is.
const SIGNATURE_LEN_MAX: usize = 200;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatementWire {
    issuer: Wallet,
    subject: Wallet,
    ledger: Ledger,
    amount: String,
    expiry: u64,
    signature: String,
}

impl Statement {
    /// Longest field, in bytes.
    pub const HEADER_LEN_BYTES_MAX: usize = 8 * 1024;
    /// Most statements of one request.
    pub const N_MAX: usize = 4;

    /// Reads the value of the header field `Gate-Attestation`. Lines of the field are joined with
    /// commas before.
    ///
    /// # Errors
    /// [`StatementError`]. Signatures are not looked at here.
    pub fn parse_header(value: &str) -> Result<Vec<Self>, StatementError> {
        let len_bytes = value.len();
        if Self::HEADER_LEN_BYTES_MAX < len_bytes {
            return Err(StatementError::TooLong { len_bytes });
        }
        let texts: Vec<&str> = value.split(',').map(|it| it.trim_matches([' ', '\t'])).collect();
        let n_statements = texts.len();
        if Self::N_MAX < n_statements {
            return Err(StatementError::TooMany { n_statements });
        }
        let statements = texts.into_iter().zip(1..).map(|(text, number)| {
            parse(text).map_err(|flaw| StatementError::Flawed { number, flaw })
        });
        statements.collect()
    }

    /// The statement as one element of the header field.
    #[must_use]
    pub fn to_header(&self) -> String {
        let wire = StatementWire {
            issuer: self.issuer,
            subject: self.subject,
            ledger: self.ledger.clone(),
            amount: self.amount.to_string(),
            expiry: self.expiry,
            signature: self.signature.clone(),
        };
        let json = serde_json::to_vec(&wire).expect("strings and numbers have a JSON form");
        URL_SAFE_NO_PAD.encode(json)
    }
}

fn parse(text: &str) -> Result<Statement, StatementFlaw> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| StatementFlaw::NotBase64)?;
    // The list of a struct's values is a form that serde takes as well.
    if !json.starts_with(b"{") {
        return Err(StatementFlaw::NotStatement("must be a JSON object".to_owned()));
    }
    let wire: StatementWire = serde_json::from_slice(&json)
        .map_err(|it| StatementFlaw::NotStatement(one_line(&it.to_string())))?;
    if AMOUNT_DIGITS_MAX < wire.amount.len() {
        return Err(StatementFlaw::AmountTooLong);
    }
    let amount = Amount::parse(&wire.amount, Decimals::NONE).map_err(StatementFlaw::Amount)?;
    if SIGNATURE_LEN_MAX < wire.signature.len() {
        return Err(StatementFlaw::SignatureTooLong);
    }
    Ok(Statement {
        issuer: wire.issuer,
        subject: wire.subject,
        ledger: wire.ledger,
        amount: amount.base_units(),
        expiry: wire.expiry,
        signature: wire.signature,
    })
}

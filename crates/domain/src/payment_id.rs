//! Names of payments.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{IdError, hex};

/// Names a payment for ever: `pay_` and 32 hexadecimal digits, which follow from what the payer
/// signed. The same payment has the same id whoever sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PaymentId([u8; 16]);

impl PaymentId {
    /// The id of the payment with this hash.
    #[must_use]
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *hash;
        Self(bytes)
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pay_{}", hex(&self.0))
    }
}

impl FromStr for PaymentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix("pay_").filter(|it| it.len() == 32).ok_or(IdError)?;
        let is_digit = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
        if !digits.bytes().all(is_digit) {
            return Err(IdError);
        }
        let bits = u128::from_str_radix(digits, 16).map_err(|_| IdError)?;
        Ok(Self(bits.to_be_bytes()))
    }
}

impl TryFrom<String> for PaymentId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<PaymentId> for String {
    fn from(id: PaymentId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_text() {
        let id = PaymentId::from_hash(&std::array::from_fn(|it| u8::try_from(it * 8).unwrap()));
        assert_eq!(id.to_string(), "pay_00081018202830384048505860687078");
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "pay_", "pay_00", "PAY_00081018202830384048505860687078"] {
            assert_eq!(wrong.parse::<PaymentId>(), Err(IdError), "{wrong}");
        }
        for wrong in ["0008101820283038404850586068707G", "+008101820283038404850586068707a"] {
            assert_eq!(format!("pay_{wrong}").parse::<PaymentId>(), Err(IdError), "{wrong}");
        }
    }
}

//! Reading members of a JSON object by their path, strictly.

use alloy_primitives::{Address, B256, U256, hex};
use serde_json::{Map, Value};

use crate::Malformed;

/// The digits of 2^256.
const UINT_DIGITS_MAX: usize = 78;

/// A JSON object with payments in it.
pub(crate) struct Fields<'a>(pub(crate) &'a Value);

impl<'a> Fields<'a> {
    /// The member at a path of names with points between them.
    pub(crate) fn find(&self, field: &str) -> Option<&'a Value> {
        field.split('.').try_fold(self.0, |value, name| value.get(name))
    }

    fn get(&self, field: &'static str) -> Result<&'a Value, Malformed> {
        self.find(field).ok_or(Malformed::Missing { field })
    }

    pub(crate) fn object(&self, field: &'static str) -> Result<&'a Map<String, Value>, Malformed> {
        let value = self.get(field)?.as_object();
        value.ok_or(Malformed::Wrong { field, want: "an object" })
    }

    pub(crate) fn text(&self, field: &'static str) -> Result<&'a str, Malformed> {
        self.get(field)?.as_str().ok_or(Malformed::Wrong { field, want: "a string" })
    }

    pub(crate) fn address(&self, field: &'static str) -> Result<Address, Malformed> {
        self.parsed(field, "0x and 40 hexadecimal digits", |text| {
            Some(Address::from(<[u8; 20]>::try_from(bytes(text)?).ok()?))
        })
    }

    pub(crate) fn hash(&self, field: &'static str) -> Result<B256, Malformed> {
        self.parsed(field, "0x and 64 hexadecimal digits", |text| {
            Some(B256::from(<[u8; 32]>::try_from(bytes(text)?).ok()?))
        })
    }

    pub(crate) fn bytes(&self, field: &'static str) -> Result<Vec<u8>, Malformed> {
        self.parsed(field, "0x and two hexadecimal digits for each byte", bytes)
    }

    pub(crate) fn uint(&self, field: &'static str) -> Result<U256, Malformed> {
        self.parsed(field, "a whole number of 256 bits in decimal digits", |text| {
            let is_digits = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
            let is_number = is_digits && text.len() <= UINT_DIGITS_MAX;
            is_number.then(|| U256::from_str_radix(text, 10).ok()).flatten()
        })
    }

    fn parsed<T>(
        &self,
        field: &'static str,
        want: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Malformed> {
        let value = self.get(field)?.as_str().and_then(parse);
        value.ok_or(Malformed::Wrong { field, want })
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?;
    // The decoder takes a second prefix.
    let is_digits = digits.bytes().all(|it| it.is_ascii_hexdigit());
    is_digits.then(|| hex::decode(digits).ok()).flatten()
}

//! The extension `payment-identifier`: how a payer names a purchase.

use std::str::FromStr;

/// A payer's own name for what it buys, so that the same purchase is not made twice: 16 to 128 of
/// `A-Z`, `a-z`, `0-9`, `_` and `-`.
///
/// Source: x402, extension `payment-identifier`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identifier(String);

/// A text is not an [`Identifier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a payment identifier has {min} to {max} of A-Z, a-z, 0-9, _ and -", min = Identifier::LEN_MIN, max = Identifier::LEN_MAX)]
pub struct IdentifierError;

impl Identifier {
    /// Shortest one.
    pub const LEN_MIN: usize = 16;
    /// Longest one.
    pub const LEN_MAX: usize = 128;

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Identifier {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let is_character = |it: u8| it.is_ascii_alphanumeric() || it == b'_' || it == b'-';
        let is_long_enough = (Self::LEN_MIN..=Self::LEN_MAX).contains(&text.len());
        if !is_long_enough || !text.bytes().all(is_character) {
            return Err(IdentifierError);
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_16_to_128_plain_characters_are_an_identifier() {
        #[rustfmt::skip]
        let rows = [
            ("pay_7d5d747be160".to_owned(),  true),
            ("A-Z_a-z_0-9-----".to_owned(),  true),
            ("a".repeat(15),                 false),
            ("a".repeat(16),                 true),
            ("a".repeat(128),                true),
            ("a".repeat(129),                false),
            (" aaaaaaaaaaaaaaaa".to_owned(), false),
            ("aaaaaaaaaaaaaaaa\n".to_owned(), false),
            ("aaaaaaaa.aaaaaaaa".to_owned(), false),
            ("ääääääääääääääää".to_owned(),  false),
        ];
        for (text, want) in rows {
            assert_eq!(text.parse::<Identifier>().is_ok(), want, "{text}");
        }
    }
}

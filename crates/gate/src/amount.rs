//! Amounts of a token: base units for the chain, decimal text for people.

use std::fmt;

use alloy_primitives::U256;

/// How many digits of an amount are behind the point: 18 for most ERC-20 tokens, 6 for USDC.
///
/// At most 77, so that one whole token fits into 256 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimals(u8);

/// The number is above [`Decimals::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("decimals are 0 to {max}, not {found}", max = Decimals::MAX)]
pub struct DecimalsError {
    /// The rejected number.
    pub found: u8,
}

impl Decimals {
    /// Most digits behind the point: 10^77 is the last power of ten below 2^256.
    pub const MAX: u8 = 77;
    /// Base units are what is written.
    pub const NONE: Self = Self(0);
}

impl TryFrom<u8> for Decimals {
    type Error = DecimalsError;

    fn try_from(found: u8) -> Result<Self, DecimalsError> {
        if found <= Self::MAX { Ok(Self(found)) } else { Err(DecimalsError { found }) }
    }
}

impl From<Decimals> for u8 {
    fn from(decimals: Decimals) -> Self {
        decimals.0
    }
}

/// An amount of a token.
///
/// Prints as the shortest decimal text that [`Amount::parse`] reads back: `12.5`, not `12.50`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    base_units: U256,
    decimals: Decimals,
}

/// Why a text is no [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Something else than digits, or a point without digits on both sides.
    #[error("an amount has only digits, and maybe a point between them, such as 100 or 12.5")]
    NotDecimal,
    /// More digits behind the point than the token has.
    #[error("this amount has at most {max} digits behind the point")]
    TooManyPlaces {
        /// How many there may be.
        max: u8,
    },
    /// More than 256 bits of base units.
    #[error("an amount is less than 2^256 base units")]
    TooLarge,
}

impl Amount {
    /// This many base units of a token with these decimals.
    #[must_use]
    pub const fn new(base_units: U256, decimals: Decimals) -> Self {
        Self { base_units, decimals }
    }

    /// Reads `12.5` of a token with these decimals.
    ///
    /// # Errors
    /// [`AmountError`]. Nothing is rounded.
    pub fn parse(text: &str, decimals: Decimals) -> Result<Self, AmountError> {
        let is_digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        let (whole, places) = match text.split_once('.') {
            Some((whole, places)) if is_digits(places) => (whole, places),
            Some(_) => return Err(AmountError::NotDecimal),
            None => (text, ""),
        };
        if !is_digits(whole) {
            return Err(AmountError::NotDecimal);
        }
        let n_zeros = usize::from(decimals.0).checked_sub(places.len());
        let n_zeros = n_zeros.ok_or(AmountError::TooManyPlaces { max: decimals.0 })?;
        let digits = format!("{whole}{places}{}", "0".repeat(n_zeros));
        let base_units = U256::from_str_radix(&digits, 10).map_err(|_| AmountError::TooLarge)?;
        Ok(Self { base_units, decimals })
    }

    /// The amount in the smallest unit of its token.
    #[must_use]
    pub const fn base_units(&self) -> U256 {
        self.base_units
    }

    /// How many digits are behind the point.
    #[must_use]
    pub const fn decimals(&self) -> Decimals {
        self.decimals
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n_places = usize::from(self.decimals.0);
        // At least one digit stays in front of the point.
        let digits = format!("{:0>1$}", self.base_units.to_string(), n_places.saturating_add(1));
        let (whole, places) = digits.split_at(digits.len().saturating_sub(n_places));
        match places.trim_end_matches('0') {
            "" => f.write_str(whole),
            places => write!(f, "{whole}.{places}"),
        }
    }
}

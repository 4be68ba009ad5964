//! Amounts of money, exact.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An amount of money in µUSD, which are also the base units of USDC. Never below zero.
///
/// Written in USD with at least 2 and at most 6 places: `5.00`, `0.000001`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u64);

/// Why a text is not an amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// It is not digits, or digits around one point.
    #[error("an amount is written in decimal digits, such as 5.00")]
    NotDecimal,
    /// It is finer than a µUSD.
    #[error("an amount has at most 6 places")]
    TooFine,
    /// It is more than anybody has.
    #[error("an amount is at most {}", Money::MAX)]
    TooLarge,
}

/// µUSD in a USD.
const MICROS: u64 = 1_000_000;

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The least that is worth a payment.
    pub const CENT: Self = Self(10_000);

    /// A billion USD. Some thousands of such amounts can be added in 63 bits.
    pub const MAX: Self = Self(1_000_000_000 * MICROS);

    /// So many µUSD, if that is not more than [`Self::MAX`].
    #[must_use]
    pub const fn from_micros(micros: u64) -> Option<Self> {
        if micros <= Self::MAX.0 { Some(Self(micros)) } else { None }
    }

    /// The amount in µUSD.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Both together, if that is not more than [`Self::MAX`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::from_micros)
    }

    /// What is left without `other`, if that is not below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// What is left without `other`, or nothing.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = format!("{:06}", self.0 % MICROS);
        let kept = places.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / MICROS, &places[..kept])
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let (whole, places) = match text.split_once('.') {
            Some((_, "")) => return Err(MoneyError::NotDecimal),
            Some(parts) => parts,
            None => (text, ""),
        };
        let is_digits = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(places) {
            return Err(MoneyError::NotDecimal);
        }
        if 6 < places.len() {
            return Err(MoneyError::TooFine);
        }
        let micros = format!("{whole}{places:0<6}").parse().map_err(|_| MoneyError::TooLarge)?;
        Self::from_micros(micros).ok_or(MoneyError::TooLarge)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_with_two_to_six_places() {
        #[rustfmt::skip]
        let rows = [
            (0,             "0.00"),
            (1,             "0.000001"),
            (10_000,        "0.01"),
            (1_034_722,     "1.034722"),
            (5_000_000,     "5.00"),
            (5_500_000,     "5.50"),
            (10_120_000,    "10.12"),
            (1_000_000_000_000_000, "1000000000.00"),
        ];
        for (micros, text) in rows {
            let money = Money::from_micros(micros).unwrap();
            assert_eq!(money.to_string(), text);
            assert_eq!(text.parse(), Ok(money));
        }
    }

    #[test]
    fn other_texts_are_refused_and_say_why() {
        use MoneyError::{NotDecimal, TooFine, TooLarge};
        #[rustfmt::skip]
        let rows = [
            ("",                 Err(NotDecimal)),
            (".5",               Err(NotDecimal)),
            ("5.",               Err(NotDecimal)),
            ("-1",               Err(NotDecimal)),
            ("+1",               Err(NotDecimal)),
            ("1e3",              Err(NotDecimal)),
            ("1,5",              Err(NotDecimal)),
            ("1.2.3",            Err(NotDecimal)),
            (" 1",               Err(NotDecimal)),
            ("١",                Err(NotDecimal)),
            ("0.0000001",        Err(TooFine)),
            ("1000000000.000001", Err(TooLarge)),
            ("99999999999999999999", Err(TooLarge)),
            ("5",                Ok(5_000_000)),
            ("0005.5",           Ok(5_500_000)),
        ];
        for (text, want) in rows {
            assert_eq!(text.parse::<Money>().map(Money::micros), want, "{text:?}");
        }
    }
}

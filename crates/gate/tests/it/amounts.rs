//! Amounts as text, and names of ledgers.

use alloy_primitives::U256;
use gate::{Amount, AmountError, Decimals, DecimalsError, Ledger, LedgerError};

/// The largest number of 256 bits.
const MAX: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
/// One more.
const TOO_LARGE: &str =
    "115792089237316195423570985008687907853269984665640564039457584007913129639936";

#[test]
fn amounts_are_read_exactly() {
    use AmountError::{NotDecimal, TooLarge, TooManyPlaces};

    let units = |number: u64| Ok(U256::from(number));
    let zeros = format!("{}1", "0".repeat(100));
    #[rustfmt::skip]
    let rows = [
        // text         decimals  want
        ("0",           0,        units(0)),
        ("100",         0,        units(100)),
        ("100",         2,        units(10_000)),
        ("12.5",        1,        units(125)),
        ("12.5",        3,        units(12_500)),
        ("12.50",       2,        units(1_250)),
        ("0.001",       3,        units(1)),
        ("007",         0,        units(7)),
        (&zeros,        0,        units(1)),
        (MAX,           0,        Ok(U256::MAX)),
        ("1",           77,       Ok(U256::from(10).pow(U256::from(77)))),
        (TOO_LARGE,     0,        Err(TooLarge)),
        ("2",           77,       Err(TooLarge)),
        (MAX,           1,        Err(TooLarge)),
        ("12.5",        0,        Err(TooManyPlaces { max: 0 })),
        ("0.0001",      3,        Err(TooManyPlaces { max: 3 })),
        // A zero is a place too.
        ("1.0",         0,        Err(TooManyPlaces { max: 0 })),
        ("",            0,        Err(NotDecimal)),
        (".",           1,        Err(NotDecimal)),
        (".5",          1,        Err(NotDecimal)),
        ("5.",          1,        Err(NotDecimal)),
        ("1.2.3",       9,        Err(NotDecimal)),
        ("-1",          0,        Err(NotDecimal)),
        ("+1",          0,        Err(NotDecimal)),
        ("1e3",         0,        Err(NotDecimal)),
        ("0x10",        0,        Err(NotDecimal)),
        ("1_000",       0,        Err(NotDecimal)),
        ("1,5",         1,        Err(NotDecimal)),
        (" 1",          0,        Err(NotDecimal)),
        ("١",           0,        Err(NotDecimal)),
    ];
    for (text, decimals, want) in rows {
        let decimals = Decimals::try_from(decimals).unwrap();
        let got = Amount::parse(text, decimals).map(|it| it.base_units());
        assert_eq!(got, want, "{text} with {decimals:?}");
    }
}

#[test]
fn amounts_are_printed_as_short_as_can_be() {
    #[rustfmt::skip]
    let rows = [
        // units  decimals  want
        (0,       0,        "0"),
        (0,       18,       "0"),
        (1,       0,        "1"),
        (100,     0,        "100"),
        (100,     2,        "1"),
        (125,     1,        "12.5"),
        (1250,    2,        "12.5"),
        (5,       1,        "0.5"),
        (5,       3,        "0.005"),
        (1005,    3,        "1.005"),
    ];
    for (units, decimals, want) in rows {
        let amount = Amount::new(U256::from(units), Decimals::try_from(decimals).unwrap());
        assert_eq!(amount.to_string(), want, "{units} with {decimals}");
    }
}

#[test]
fn a_whole_token_fits_into_256_bits() {
    assert_eq!(Decimals::try_from(77).map(u8::from), Ok(77));
    assert_eq!(Decimals::try_from(78), Err(DecimalsError { found: 78 }));
}

#[test]
fn ledgers_have_short_plain_names() {
    let text = |n: usize| "x".repeat(n);
    #[rustfmt::skip]
    let rows = [
        ("crdt-main".to_owned(),  Ok(())),
        (" ~".to_owned(),         Ok(())),
        (text(1),                 Ok(())),
        (text(64),                Ok(())),
        (text(65),                Err(LedgerError::Length { len: 65 })),
        (text(0),                 Err(LedgerError::Length { len: 0 })),
        ("a\u{1f}".to_owned(),    Err(LedgerError::BadCharacter { found: '\u{1f}' })),
        ("a\u{7f}".to_owned(),    Err(LedgerError::BadCharacter { found: '\u{7f}' })),
        ("crdt-mаin".to_owned(),  Err(LedgerError::BadCharacter { found: 'а' })),
    ];
    for (text, want) in rows {
        let got = Ledger::try_from(text.clone());
        assert_eq!(got.as_ref().map(|_| ()).map_err(|it| *it), want, "{text}");
        if let Ok(ledger) = got {
            assert_eq!(ledger.as_str(), text);
        }
    }
}

//! Forms of a signature, and whose it is.
//!
//! The signature in the middle of the tables is from the public vectors, not made by this crate.

use evm::{Signature, SignatureError, address_of};
use k256::ecdsa::SigningKey;
use siwe::{eip191_hash, recover, sign};

/// `r` of the vector "example message".
const R: &str = "dc35c7f8ba2720df052e0092556456127f00f7707eaa8e3bbff7e56774e7f2e0";
/// `s` of it. Its `v` is 27.
const S: &str = "5a093cfc9e02964c33d86e8e066e221b7d153d27e5a2e97ccd5ca7d3f2ce06cb";
/// The order of secp256k1 minus `S`: the other `s` that curve arithmetic takes.
const S_HIGH: &str = "a5f6c30361fd69b3cc279171f991dde33d999fbec9a5b6bef275b6b8dd683a76";
/// The order of secp256k1.
const N: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
/// Half of the order, rounded down: the largest `s` that is low.
const S_LOW_MAX: &str = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
/// One more.
const S_HIGH_MIN: &str = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1";
const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const ADDRESS: &str = "0x9D85ca56217D2bb651b00f15e694EB7E713637D4";
const MESSAGE: &str = "login.xyz wants you to sign in with your Ethereum account:\n\
    0x9D85ca56217D2bb651b00f15e694EB7E713637D4\n\n\
    Sign-In With Ethereum Example Statement\n\n\
    URI: https://login.xyz\nVersion: 1\nChain ID: 1\nNonce: bTyXgcQxn2htgkjJn\n\
    Issued At: 2022-01-27T17:09:38.578Z\nExpiration Time: 2100-01-07T14:31:43.952Z";

#[test]
fn only_one_form_of_a_signature_is_taken() {
    let upper = format!("{R}{S}1B").to_uppercase();
    #[rustfmt::skip]
    let rows = [
        (format!("0x{R}{S}00"),             Ok(())),
        (format!("0x{R}{S}01"),             Ok(())),
        (format!("0x{R}{S}1b"),             Ok(())),
        (format!("0x{R}{S}1c"),             Ok(())),
        (format!("0x{upper}"),              Ok(())),
        (format!("0x{R}{S_LOW_MAX}1b"),     Ok(())),
        (String::new(),                     Err(SignatureError::NoPrefix)),
        (format!("{R}{S}1b"),               Err(SignatureError::NoPrefix)),
        (format!("0X{R}{S}1b"),             Err(SignatureError::NoPrefix)),
        (format!(" 0x{R}{S}1b"),            Err(SignatureError::NoPrefix)),
        (format!("0x{R}{S}1b "),            Err(SignatureError::NotHex { found: ' ' })),
        (format!("0x{R}{S}1g"),             Err(SignatureError::NotHex { found: 'g' })),
        (format!("0x0x{R}{S}1b"),           Err(SignatureError::NotHex { found: 'x' })),
        (format!("0x{R}{S}é"),              Err(SignatureError::NotHex { found: 'é' })),
        (format!("0x{R}{S}1"),              Err(SignatureError::HalfByte)),
        ("0x".to_owned(),                   Err(SignatureError::Length { len_bytes: 0 })),
        (format!("0x{R}{S}"),               Err(SignatureError::Length { len_bytes: 64 })),
        (format!("0x{R}{S}1b1b"),           Err(SignatureError::Length { len_bytes: 66 })),
        (format!("0x{R}{S}02"),             Err(SignatureError::RecoveryByte { found: 2 })),
        (format!("0x{R}{S}1a"),             Err(SignatureError::RecoveryByte { found: 26 })),
        (format!("0x{R}{S}1d"),             Err(SignatureError::RecoveryByte { found: 29 })),
        (format!("0x{R}{S}25"),             Err(SignatureError::RecoveryByte { found: 37 })),
        (format!("0x{ZERO}{ZERO}1b"),       Err(SignatureError::ScalarRange)),
        (format!("0x{ZERO}{S}1b"),          Err(SignatureError::ScalarRange)),
        (format!("0x{R}{ZERO}1b"),          Err(SignatureError::ScalarRange)),
        (format!("0x{N}{S}1b"),             Err(SignatureError::ScalarRange)),
        (format!("0x{R}{N}1b"),             Err(SignatureError::ScalarRange)),
        (format!("0x{R}{S_HIGH}1c"),        Err(SignatureError::HighS)),
        (format!("0x{R}{S_HIGH_MIN}1b"),    Err(SignatureError::HighS)),
    ];
    for (text, want) in rows {
        assert_eq!(text.parse::<Signature>().map(|_| ()), want, "{text}");
    }
}

#[test]
fn a_signature_leads_to_the_address_that_made_it() {
    let recovered = |message: &str, text: String| {
        recover(message, &text.parse().unwrap()).map(|it| it.to_checksum(None))
    };
    assert_eq!(recovered(MESSAGE, format!("0x{R}{S}1b")).unwrap(), ADDRESS);
    assert_eq!(recovered(MESSAGE, format!("0x{R}{S}00")).unwrap(), ADDRESS);
    assert_ne!(recovered(MESSAGE, format!("0x{R}{S}1c")).unwrap(), ADDRESS);
    assert_ne!(recovered(&format!("{MESSAGE}\n"), format!("0x{R}{S}1b")).unwrap(), ADDRESS);
}

#[test]
fn an_r_that_is_no_point_has_no_key() {
    // 5 is not the x of a point of secp256k1.
    let r = format!("{:064x}", 5);
    let signature: Signature = format!("0x{r}{S}1b").parse().unwrap();
    assert_eq!(recover(MESSAGE, &signature), Err(SignatureError::NoKey));
}

/// The first account of the mnemonic that development chains share.
fn well_known_key() -> SigningKey {
    let hex = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    SigningKey::from_slice(&alloy_primitives::hex::decode(hex).unwrap()).unwrap()
}

#[test]
fn a_key_has_the_address_that_everybody_knows_it_by() {
    let address = address_of(well_known_key().verifying_key());
    assert_eq!(address.to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
}

/// Both values are what `ethers` 6 gives for `personal_sign`.
#[test]
fn signing_gives_what_other_wallets_give() {
    let hash = alloy_primitives::hex::encode(eip191_hash("hello"));
    assert_eq!(hash, "50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750");
    let signature = "0xf16ea9a3478698f695fd1401bfe27e9e4a7e8e3da94aa72b021125e31fa899cc\
                     573c48ea3fe1d4ab61a9db10c19032026e3ed2dbccba5a178235ac27f94504311c";
    assert_eq!(sign("hello", &well_known_key()), signature);
}

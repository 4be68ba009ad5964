//! Changing the secret behind the credentials without signing anybody out.
//!
//! Method: a credential of each kind is made under one ring and read under others.

#![expect(clippy::unwrap_used, reason = "a test that can't go on panics")]

use credentials::{KeyRing, Passport, Session, SignInNonce};
use domain::{Timestamp, Wallet};
use http::Method;

const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

/// What version 0.1.0 made at [`NOW`] with the secret `o`: then there was no footer.
const OLD_SESSION: &str = "v4.local.zRna4ku7VFtD9jQzIZL-P_LF3cuuInIu7TGCzT6d5KZxykEEx4oOwf1Fud7Vxo7mmtZyAlZr0cT3dpXfv-YTMzKf8zbDDJvXXEL48WU76FYahB31-lBCreUic1gOC1l78QZ9CVHoQb0GXk11Q_7F8FzDejNBYjZ7WtZ-UCqSPuG6q6nrEBVAzkXQup_fZllMBG3L16sGvt9IsqfxbfxxsJDxsNm5QAreJhS-ymA5S0Q0SHoYVj9rkhwujmYXpNhIFEyMUo6_z6E6v3F3_E9v3w";
const OLD_PASSPORT: &str = "v4.local.w39Fvtt3vHV6_mH2DBDIuv0v0Voy7-4LVRx9_2FaLILF8DKjSUbay5lAztf8L8XrGRGosfDRGMEQWeK1oSIjVhzMbzGXEKOLoW0zxuXH8myd1LnWfMbP3Tkf48AdMZORqM4AqFgi11LzSUZOtStiX44e2AaXSzziQdUUMgu0Q6vTqM1U3UOLdSDvWeDeBtwHMj1EB7NmO1uVl6jiIEecRdRZpOCFS4_GFNPs4Ou1t4_0LhbaJ7buW1ohNSPYteQ";
const OLD_NONCE: &str = "6afd86c0070707070707070707070707c1000548137637f1aadd58e7c790b5ad";
const OLD_TICKET_KEY: [u8; 4] = [167, 165, 94, 212];

const KINDS: [&str; 3] = ["session", "passport", "nonce"];

/// The ring of secrets that are one letter 32 times: the current one, then the previous ones.
fn ring(letters: &str) -> KeyRing {
    let secrets: Vec<String> = letters.chars().map(|it| it.to_string().repeat(32)).collect();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    KeyRing::derive(secrets[0], &secrets[1..]).unwrap_or_else(|error| panic!("{error}"))
}

fn wallet() -> Wallet {
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap()
}

fn make(kind: &str, keys: &KeyRing) -> String {
    match kind {
        "session" => Session::begin(wallet(), 1, NOW, [3; 16]).to_token(keys),
        "passport" => {
            Passport::issue(wallet(), Some(1), &Method::POST, "/v1/spaces", NOW).to_token(keys)
        }
        _ => SignInNonce::new(keys, NOW, [7; 12]).as_str().to_owned(),
    }
}

fn is_accepted(kind: &str, keys: &KeyRing, text: &str) -> bool {
    match kind {
        "session" => Session::from_token(keys, text, NOW).is_ok(),
        "passport" => {
            Passport::<u8>::from_token(keys, text, &Method::POST, "/v1/spaces", NOW).is_ok()
        }
        _ => SignInNonce::parse(keys, text, NOW).is_ok(),
    }
}

#[test]
fn a_credential_is_accepted_while_its_secret_is_listed() {
    #[rustfmt::skip]
    let rows = [
        // made with, read with
        ("o",     "o",     true),
        ("o",     "no",    true),
        ("o",     "nabco", true),
        ("o",     "n",     false),
        ("o",     "nabc",  false),
        // Nothing is made with a previous one.
        ("no",    "n",     true),
        ("no",    "o",     false),
        ("nabco", "abco",  false),
    ];
    for kind in KINDS {
        for (made_with, read_with, want) in rows {
            let text = make(kind, &ring(made_with));
            let got = is_accepted(kind, &ring(read_with), &text);
            assert_eq!(got, want, "{kind} of {made_with} under {read_with}");
        }
    }
}

#[test]
fn one_kind_is_never_another() {
    let keys = ring("no");
    for made in KINDS {
        for read in KINDS {
            for maker in ["n", "o"] {
                let text = make(made, &ring(maker));
                assert_eq!(is_accepted(read, &keys, &text), made == read, "{made} as {read}");
            }
        }
    }
}

#[test]
fn what_the_version_before_made_is_still_accepted() {
    let rows = [("session", OLD_SESSION), ("passport", OLD_PASSPORT), ("nonce", OLD_NONCE)];
    for (kind, text) in rows {
        for (letters, want) in [("o", true), ("no", true), ("naco", true), ("n", false)] {
            assert_eq!(is_accepted(kind, &ring(letters), text), want, "{kind} under {letters}");
        }
    }
    assert_eq!(ring("on").ticket_key("h1")[..4], OLD_TICKET_KEY);
}

#[test]
fn the_footer_is_what_was_written() {
    let keys = ring("no");
    let footer_of = |text: &str| text.rsplit('.').next().unwrap().to_owned();
    for kind in ["session", "passport"] {
        let (token, old_token) = (make(kind, &keys), make(kind, &ring("o")));
        let body = |text: &str| text.rsplit_once('.').unwrap().0.to_owned();
        let other_kind = if kind == "session" { "passport" } else { "session" };
        #[rustfmt::skip]
        let rows = [
            ("as it was",                  token.clone(),                                             true),
            ("the previous key's",         old_token.clone(),                                         true),
            ("none",                       body(&token),                                              false),
            ("an empty one",               format!("{}.", body(&token)),                              false),
            ("none, previous key",         body(&old_token),                                          false),
            ("the other key's",            format!("{}.{}", body(&token), footer_of(&old_token)),     false),
            ("the other key's, backwards", format!("{}.{}", body(&old_token), footer_of(&token)),     false),
            ("the other kind's",           format!("{}.{}", body(&token), footer_of(&make(other_kind, &keys))), false),
            ("nobody's",                   format!("{}.MDAwMDAwMDA", body(&token)),                   false),
            ("one more",                   format!("{token}.{}", footer_of(&token)),                  false),
            ("added to one without",       format!("{OLD_SESSION}.{}", footer_of(&old_token)),        false),
        ];
        for (what, text, want) in rows {
            assert_eq!(is_accepted(kind, &keys, &text), want, "{kind}: {what}");
        }
    }
}

#[test]
fn a_key_id_tells_nothing_but_which_key() {
    let footer = |letters| {
        let token = make("session", &ring(letters));
        token.rsplit('.').next().unwrap().to_owned()
    };
    assert_eq!(footer("no"), footer("n"));
    assert_ne!(footer("n"), footer("o"));
    // 8 characters in base64.
    assert_eq!(footer("n").len(), 11);
}

//! Which texts are lists of facilitators.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use facilitator::{CredentialsError, Facilitators, FacilitatorsError};

const SECRET: &str = "c2VjcmV0";
/// The key of RFC 8037, appendix A, as the platform writes it.
const KEY: &str =
    "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==";

fn wrong(urls: &str, credentials: &str) -> String {
    Facilitators::parse(urls, credentials).unwrap_err().to_string()
}

#[test]
fn a_list_has_urls() {
    #[rustfmt::skip]
    let rows: [(&str, &[&str]); 6] = [
        ("https://a.example",                                   &["https://a.example:443"]),
        (" https://a.example/v2/x402/ \n",                      &["https://a.example:443"]),
        ("https://b.example/x,http://[::1]:4020 https://A.example", &["http://[::1]:4020", "https://a.example:443", "https://b.example:443"]),
        (",,https://a.example,\n https://b.example",            &["https://a.example:443", "https://b.example:443"]),
        ("https://a.example/1 https://a.example/2",             &["https://a.example:443"]),
        ("http://a.example https://a.example",                  &["http://a.example:80", "https://a.example:443"]),
    ];
    for (urls, want) in rows {
        assert_eq!(Facilitators::parse(urls, "").unwrap().origins(), want, "{urls:?}");
    }
}

#[test]
fn other_texts_are_no_list() {
    #[rustfmt::skip]
    let rows = [
        ("",                                        "there is no URL"),
        (" ,\n",                                    "there is no URL"),
        ("https://a.example nowhere",               "URL 2: this is not a URL with a host"),
        ("https://*.example",                       "URL 1: this is not a URL with a host"),
        ("ftp://a.example",                         "URL 1: the scheme is http or https"),
        ("https://me:secret@a.example",             "URL 1: there is no user info before the host"),
        ("https://a.example/#here",                 "URL 1: there is no fragment"),
        ("https://a.example/?key=secret",           "URL 1: there is no query"),
        ("https://a.example https://a.example/",    "URL 2 is there twice"),
    ];
    for (urls, want) in rows {
        assert_eq!(wrong(urls, ""), want, "{urls:?}");
    }
}

#[test]
fn credentials_are_for_one_of_the_urls() {
    const URLS: &str = "https://a.example/x402/ https://b.example";
    let mut halves = STANDARD.decode(KEY).unwrap();
    halves[63] ^= 1;
    let no_pair = STANDARD.encode(halves);
    #[rustfmt::skip]
    let rows = [
        (String::new(),                                                             None),
        (" ".to_owned(),                                                            None),
        ("{}".to_owned(),                                                           None),
        (format!(r#"{{"https://a.example/x402": {{"bearer": "{SECRET}"}}}}"#),      None),
        (format!(r#"{{"https://a.example/x402/": {{"bearer": "{SECRET}"}}}}"#),     None),
        (format!(r#"{{"https://b.example/": {{"cdp_key_id": "id", "cdp_key_secret": "{KEY}"}}}}"#), None),
        (format!(r#"{{"https://a.example": {{"bearer": "{SECRET}"}}}}"#),           Some(CredentialsError::Unknown { position: 1 })),
        (SECRET.to_owned(),                                                         Some(CredentialsError::NotJson { line: 1, column: 1 })),
        (format!(r#"{{"https://b.example": "{SECRET}"}}"#),                         Some(CredentialsError::NotJson { line: 1, column: 32 })),
        (format!(r#"{{"https://b.example": {{"key": "{SECRET}"}}}}"#),              Some(CredentialsError::NotJson { line: 1, column: 28 })),
        (r#"{"https://b.example": {}}"#.to_owned(),                                 Some(CredentialsError::Form { position: 1 })),
        (r#"{"https://b.example": {"cdp_key_id": "id"}}"#.to_owned(),               Some(CredentialsError::Form { position: 1 })),
        (r#"{"https://b.example": {"bearer": "b", "cdp_key_id": "id"}}"#.to_owned(), Some(CredentialsError::Form { position: 1 })),
        (r#"{"https://b.example": {"bearer": ""}}"#.to_owned(),                     Some(CredentialsError::Text { position: 1 })),
        (r#"{"https://b.example": {"bearer": "a\nb"}}"#.to_owned(),                 Some(CredentialsError::Text { position: 1 })),
        (format!(r#"{{"https://b.example": {{"cdp_key_id": "", "cdp_key_secret": "{KEY}"}}}}"#), Some(CredentialsError::Text { position: 1 })),
        (r#"{"https://b.example": {"cdp_key_id": "id", "cdp_key_secret": ""}}"#.to_owned(), Some(CredentialsError::Key { position: 1 })),
        (format!(r#"{{"https://b.example": {{"cdp_key_id": "id", "cdp_key_secret": "{}"}}}}"#, &KEY[..44]), Some(CredentialsError::Key { position: 1 })),
        (format!(r#"{{"https://b.example": {{"cdp_key_id": "id", "cdp_key_secret": "{no_pair}"}}}}"#), Some(CredentialsError::Key { position: 1 })),
        (r#"{"https://b.example": {"cdp_key_id": "id", "cdp_key_secret": "-----BEGIN EC PRIVATE KEY-----"}}"#.to_owned(), Some(CredentialsError::Key { position: 1 })),
    ];
    for (credentials, want) in rows {
        let got = Facilitators::parse(URLS, &credentials).err();
        assert_eq!(got, want.map(FacilitatorsError::Credentials), "{credentials}");
    }
}

#[test]
fn nothing_that_is_printed_has_a_secret() {
    let urls = "https://a.example/SECRET-PATH";
    let bearer = format!(r#"{{"{urls}": {{"bearer": "{SECRET}"}}}}"#);
    let facilitators = Facilitators::parse(urls, &bearer).unwrap();
    assert_eq!(format!("{facilitators:?}"), "[https://a.example:443]");
    let printed = [
        wrong(urls, &bearer.replace("PATH", "WAY")),
        wrong(urls, &bearer.replace(':', "=")),
        wrong(urls, &bearer.replace("bearer", SECRET)),
        wrong(&format!("{urls} {urls}"), &bearer),
    ];
    for text in printed {
        assert!(!text.contains("SECRET") && !text.contains(SECRET), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

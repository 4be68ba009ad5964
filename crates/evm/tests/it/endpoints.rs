//! Lists of endpoints.

use evm::{Endpoints, EndpointsError, UrlError};

#[test]
fn lists_are_read() {
    let json = r#"{
        "8453": ["https://b.example/v3/key", "https://a.example", "http://[::1]:8545/?key=1"],
        "1":    ["HTTPS://A.example:443/other", "http://node_1.internal:80", "https://10.0.0.1:"]
    }"#;
    let endpoints: Endpoints = json.parse().unwrap();
    assert!(endpoints.has(1) && endpoints.has(8453) && !endpoints.has(10));
    let want = [
        "http://[::1]:8545",
        "http://node_1.internal:80",
        "https://10.0.0.1:443",
        "https://a.example:443",
        "https://b.example:443",
    ];
    assert_eq!(endpoints.origins(), want);

    let none: Endpoints = "{}".parse().unwrap();
    assert_eq!((none.has(1), none.origins()), (false, vec![]));
    assert_eq!(none, Endpoints::default());
}

#[test]
fn what_is_no_list_is_refused() {
    let not_json = |column| EndpointsError::NotJson { line: 1, column };
    let chain_id = |found: &str| EndpointsError::ChainId { found: found.to_owned() };
    #[rustfmt::skip]
    let rows = [
        ("",                                        not_json(0)),
        ("[]",                                      not_json(0)),
        ("https://a.example",                       not_json(1)),
        (r#"{"1": "https://a.example/key"}"#,       not_json(29)),
        (r#"{"1": [1]}"#,                           not_json(8)),
        (r#"{"": ["https://a.example"]}"#,          chain_id("")),
        (r#"{"0": ["https://a.example"]}"#,         chain_id("0")),
        (r#"{"01": ["https://a.example"]}"#,        chain_id("01")),
        (r#"{"+1": ["https://a.example"]}"#,        chain_id("+1")),
        (r#"{"-1": ["https://a.example"]}"#,        chain_id("-1")),
        (r#"{"0x1": ["https://a.example"]}"#,       chain_id("0x1")),
        (r#"{"base": ["https://a.example"]}"#,      chain_id("base")),
        (r#"{"18446744073709551616": []}"#,         chain_id("18446744")),
        (r#"{"https://a.example/key": ["1"]}"#,     chain_id("https://")),
        (r#"{"1": []}"#,                            EndpointsError::Empty { chain_id: 1 }),
        (r#"{"1": ["http://a", "http://a"]}"#,      EndpointsError::Twice { chain_id: 1, position: 2 }),
    ];
    for (json, want) in rows {
        assert_eq!(json.parse::<Endpoints>(), Err(want), "{json}");
    }
}

#[test]
fn what_is_no_url_is_refused() {
    #[rustfmt::skip]
    let rows = [
        ("",                                UrlError::NotAUrl),
        ("a.example",                       UrlError::NotAUrl),
        ("https://",                        UrlError::NotAUrl),
        ("https:///path",                   UrlError::NotAUrl),
        ("https:a.example",                 UrlError::NotAUrl),
        ("https://a example",               UrlError::NotAUrl),
        ("https://a.example:65536",         UrlError::NotAUrl),
        ("https://*",                       UrlError::NotAUrl),
        ("https://*.example",               UrlError::NotAUrl),
        ("https://a,b",                     UrlError::NotAUrl),
        ("https://%61.example",             UrlError::NotAUrl),
        ("https://[::1",                    UrlError::NotAUrl),
        (" https://a.example",              UrlError::NotAUrl),
        ("wss://a.example",                 UrlError::Scheme),
        ("ftp://a.example",                 UrlError::Scheme),
        ("localhost:8545",                  UrlError::Scheme),
        ("https://me@a.example",            UrlError::UserInfo),
        ("https://me:secret@a.example",     UrlError::UserInfo),
        ("https://@a.example",              UrlError::UserInfo),
        ("https://a.example/#",             UrlError::Fragment),
        ("https://a.example/key#part",      UrlError::Fragment),
    ];
    for (url, wrong) in rows {
        let json = serde_json::json!({"1": ["https://ok.example", url]}).to_string();
        let want = EndpointsError::Url { chain_id: 1, position: 2, wrong };
        assert_eq!(json.parse::<Endpoints>(), Err(want), "{url}");
    }
}

#[test]
fn no_text_about_endpoints_has_a_key_in_it() {
    let good = r#"{"1": ["https://a.example/SECRET?key=SECRET"]}"#;
    let endpoints = good.parse::<Endpoints>().unwrap();
    assert_eq!(format!("{endpoints:?}"), "Endpoints({1: [https://a.example:443]})");

    let bad = [
        r#"{"1": "https://a.example/SECRET"}"#,
        r#"{"1": ["https://a.example/SECRET", "https://a.example/SECRET"]}"#,
        r#"{"1": ["https://me@a.example/SECRET"]}"#,
        r#"{"https://a.example/SECRET": ["1"]}"#,
        r#"{"1": ["https://a.example/SECRET"], }"#,
    ];
    for json in bad {
        let error = json.parse::<Endpoints>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
    }
}

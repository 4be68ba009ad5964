//! Which messages are believed.

use domain::Timestamp;
use facilitator::{WebhookError, WebhookSecrets, verify_webhook};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

const NOW_MS: i64 = 1_795_000_000_000;
const NOW_S: i64 = NOW_MS / 1000;
const BODY: &str = r#"{"event":"payment.settled","timestamp":"2026-11-18T11:06:40Z"}"#;
/// Without a time.
const UNDATED: &str = r#"{"eventType":"payments.transfers.completed"}"#;

/// As anybody would write it.
fn secret() -> String {
    "k".repeat(32)
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(key: &str, message: &str) -> String {
    alloy_primitives::hex::encode(hmac(key.as_bytes(), message))
}

fn headers(rows: &[(&str, String)]) -> HeaderMap {
    let rows = rows.iter().map(|(name, value)| {
        let name: HeaderName = name.parse().unwrap();
        (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    let mut headers = HeaderMap::new();
    for (name, value) in rows {
        headers.append(name, value);
    }
    headers
}

fn verify(rows: &[(&str, String)], body: &str, secrets: &str) -> Result<(), WebhookError> {
    let secrets: WebhookSecrets = secrets.parse().unwrap();
    let now = Timestamp::from_unix_ms(NOW_MS);
    verify_webhook(&headers(rows), body.as_bytes(), &secrets, now).map(|_| ())
}

/// Made by Python's `hmac`; the first one is the example of Standard Webhooks.
#[test]
fn signatures_that_others_made() {
    let secrets: WebhookSecrets =
        format!("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw {}", secret()).parse().unwrap();
    let now = Timestamp::from_unix_ms(NOW_MS);
    let standard = headers(&[
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()),
        ("webhook-timestamp", "1614265330".to_owned()),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned()),
    ]);
    let then = Timestamp::from_unix_ms(1_614_265_330_000);
    let body = br#"{"test": 2432232314}"#;
    assert!(verify_webhook(&standard, body, &secrets, then).is_ok());
    assert_eq!(verify_webhook(&standard, body, &secrets, now), Err(WebhookError::Stale));

    let v0 = "t=1795000000,v0=73b7ebdb26c8b3590c95a97a209f47a7de67f2f969124f7f7c8726b41f1d6123";
    let v1 = "t=1795000000,h=content-type x-hook0-id,\
        v1=838fe807a55ac88bd85aad81012860550a8e1f70064187ff873af8733bdd81cd";
    for signature in [v0, v1] {
        let hook0 = headers(&[
            ("x-hook0-signature", signature.to_owned()),
            ("content-type", "application/json".to_owned()),
            ("x-hook0-id", "e1".to_owned()),
        ]);
        assert!(verify_webhook(&hook0, UNDATED.as_bytes(), &secrets, now).is_ok(), "{signature}");
    }

    let hex = "aafe514059512b4c4b91c48a31628d3a54b6939d92a49bba4d5b5b39068a2ef9";
    for signature in [hex.to_owned(), format!("sha256={hex}")] {
        let plain = headers(&[("x-webhook-signature", signature)]);
        assert!(verify_webhook(&plain, BODY.as_bytes(), &secrets, now).is_ok());
    }
}

#[test]
fn standard_webhooks() {
    const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let key = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, KEY).unwrap();
    let sign = |id: &str, t: &str| {
        let mac = hmac(&key, &format!("{id}.{t}.{UNDATED}"));
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, mac)
    };
    let now = NOW_S.to_string();
    let good = sign("e1", &now);
    let at = |seconds: i64| (NOW_S + seconds).to_string();
    let signed_at = |seconds: i64| (at(seconds), format!("v1,{}", sign("e1", &at(seconds))));
    #[rustfmt::skip]
    let rows = [
        // time             signature                               becomes
        (now.clone(),       format!("v1,{good}"),                   Ok(())),
        (now.clone(),       format!("v1,{}", good.trim_end_matches('=')), Ok(())),
        (now.clone(),       format!("v1a,{good} v1,AAAA v1,{good}"), Ok(())),
        (now.clone(),       format!("v2,{good}"),                   Err(WebhookError::Forged)),
        (now.clone(),       good.clone(),                           Err(WebhookError::Forged)),
        (now.clone(),       String::new(),                          Err(WebhookError::Forged)),
        (now.clone(),       "v1,".to_owned(),                       Err(WebhookError::Forged)),
        (now.clone(),       format!("v1,{}", sign("e2", &now)),     Err(WebhookError::Forged)),
        (at(1),             format!("v1,{good}"),                   Err(WebhookError::Forged)),
        (format!("+{now}"), format!("v1,{good}"),                   Err(WebhookError::Header("webhook-timestamp"))),
        ("soon".to_owned(), format!("v1,{good}"),                   Err(WebhookError::Header("webhook-timestamp"))),
        (i64::MAX.to_string(), format!("v1,{good}"),                Err(WebhookError::Header("webhook-timestamp"))),
        (signed_at(-300).0, signed_at(-300).1,                      Ok(())),
        (signed_at(-301).0, signed_at(-301).1,                      Err(WebhookError::Stale)),
        (signed_at(300).0,  signed_at(300).1,                       Ok(())),
        (signed_at(301).0,  signed_at(301).1,                       Err(WebhookError::Stale)),
    ];
    for (timestamp, signature, want) in rows {
        let rows = [
            ("webhook-id", "e1".to_owned()),
            ("webhook-timestamp", timestamp.clone()),
            ("webhook-signature", signature.clone()),
        ];
        for secrets in [KEY.to_owned(), format!("whsec_{KEY}"), format!("{} {KEY}", secret())] {
            assert_eq!(verify(&rows, UNDATED, &secrets), want, "{timestamp} {signature}");
        }
        let missing = verify(&rows[1..], UNDATED, KEY);
        assert!(matches!(missing, Err(WebhookError::Header("webhook-id"))), "{missing:?}");
        let missing = verify(&[rows[0].clone(), rows[2].clone()], UNDATED, KEY);
        assert!(matches!(missing, Err(WebhookError::Header("webhook-timestamp"))), "{missing:?}");
    }
}

#[test]
fn hook0() {
    const NAME: &str = "x-hook0-signature";
    let now = NOW_S.to_string();
    let v0 = |t: &str| hex(&secret(), &format!("{t}.{UNDATED}"));
    let v1 =
        hex(&secret(), &format!("{now}.content-type x-hook0-id.application/json.e1.{UNDATED}"));
    let (old, older) = ((NOW_S - 300).to_string(), (NOW_S - 301).to_string());
    let bad = "00".repeat(32);
    #[rustfmt::skip]
    let rows = [
        (format!("t={now},v0={}", v0(&now)),                                            Ok(())),
        (format!("v0={}, t={now}", v0(&now)),                                           Ok(())),
        (format!("t={now},h=content-type x-hook0-id,v1={v1}"),                          Ok(())),
        (format!("t={now},v0={},h=content-type x-hook0-id,v1={v1}", v0(&now)),          Ok(())),
        (format!("t={now},v0={bad},h=content-type x-hook0-id,v1={v1}"),                 Ok(())),
        (format!("t={now},v0={},h=content-type x-hook0-id,v1={bad}", v0(&now)),         Ok(())),
        (format!("t={now},v0={bad}"),                                                   Err(WebhookError::Forged)),
        (format!("t={now}"),                                                            Err(WebhookError::Forged)),
        (format!("t={now},v0={v1}"),                                                    Err(WebhookError::Forged)),
        (format!("t={now},v1={v1}"),                                                    Err(WebhookError::Forged)),
        (format!("t={now},h=x-hook0-id content-type,v1={v1}"),                          Err(WebhookError::Forged)),
        (format!("t={now},h=x-other x-hook0-id,v1={v1}"),                               Err(WebhookError::Forged)),
        (format!("t={now},h=,v1={v1}"),                                                 Err(WebhookError::Forged)),
        (format!("t={old},v0={}", v0(&now)),                                            Err(WebhookError::Forged)),
        (format!("t={old},v0={}", v0(&old)),                                            Ok(())),
        (format!("t={older},v0={}", v0(&older)),                                        Err(WebhookError::Stale)),
        (format!("v0={}", v0(&now)),                                                    Err(WebhookError::Header(NAME))),
        (format!("t=-1,v0={}", v0("-1")),                                               Err(WebhookError::Header(NAME))),
        (String::new(),                                                                 Err(WebhookError::Header(NAME))),
    ];
    for (signature, want) in rows {
        let rows = [
            (NAME, signature.clone()),
            ("content-type", "application/json".to_owned()),
            ("x-hook0-id", "e1".to_owned()),
        ];
        assert_eq!(verify(&rows, UNDATED, &secret()), want, "{signature}");
    }
}

#[test]
fn the_body_alone() {
    const TIMESTAMP: &str = "x-webhook-timestamp";
    let body = |time: &str| format!(r#"{{"event":"payment.settled","timestamp":{time}}}"#);
    let at = |seconds: i64| body(&(NOW_MS + seconds * 1000).to_string());
    let ms = |seconds: i64| Some((NOW_MS + seconds * 1000).to_string());
    #[rustfmt::skip]
    let rows = [
        // body                             beside it                   becomes
        (BODY.to_owned(),                   None,                       Ok(())),
        (BODY.to_owned(),                   ms(0),                      Ok(())),
        (BODY.to_owned(),                   ms(-300),                   Ok(())),
        (BODY.to_owned(),                   ms(-301),                   Err(WebhookError::Stale)),
        (BODY.to_owned(),                   ms(301),                    Err(WebhookError::Stale)),
        (BODY.to_owned(),                   Some("now".to_owned()),     Err(WebhookError::Header(TIMESTAMP))),
        (at(-300),                          ms(0),                      Ok(())),
        (at(-301),                          ms(0),                      Err(WebhookError::Stale)),
        (at(300),                           None,                       Ok(())),
        (at(301),                           None,                       Err(WebhookError::Stale)),
        (body(&NOW_S.to_string()),          None,                       Ok(())),
        (body(r#""2026-11-18T12:11:41+01:00""#), None,                  Err(WebhookError::Stale)),
        (body(r#""2026-11-18T12:11:40+01:00""#), None,                  Ok(())),
        (body(r#""today""#),                None,                       Err(WebhookError::Undated)),
        (UNDATED.to_owned(),                ms(0),                      Err(WebhookError::Undated)),
        ("[]".to_owned(),                   ms(0),                      Err(WebhookError::NotJson)),
        ("{".to_owned(),                    ms(0),                      Err(WebhookError::NotJson)),
        (String::new(),                     ms(0),                      Err(WebhookError::NotJson)),
    ];
    for (body, beside, want) in rows {
        let mut rows = vec![("x-webhook-signature", hex(&secret(), &body))];
        rows.extend(beside.clone().map(|it| (TIMESTAMP, it)));
        assert_eq!(verify(&rows, &body, &secret()), want, "{body} {beside:?}");
        rows[0].1.insert_str(0, "sha256=");
        assert_eq!(verify(&rows, &body, &secret()), want, "{body} {beside:?}");
    }
    let good = hex(&secret(), BODY);
    for bad in [&good[1..], &good[..62], &good[2..], "", "sha256=", &format!("sha512={good}")] {
        let rows = [("x-webhook-signature", bad.to_owned())];
        assert_eq!(verify(&rows, BODY, &secret()), Err(WebhookError::Forged), "{bad}");
    }
    let rows = [("x-webhook-signature", good)];
    assert_eq!(verify(&rows, &BODY.replace("tt", "tT"), &secret()), Err(WebhookError::Forged));
    assert_eq!(verify(&[], BODY, &secret()), Err(WebhookError::Unsigned));
}

#[test]
fn a_header_is_there_once() {
    let signature = hex(&secret(), BODY);
    let rows = [("x-webhook-signature", signature.clone()), ("x-webhook-signature", signature)];
    assert!(matches!(verify(&rows, BODY, &secret()), Err(WebhookError::Header(_))));
}

#[test]
fn any_of_the_secrets_will_do_and_no_other_one() {
    let other = "j".repeat(32);
    let rows = [("x-webhook-signature", hex(&secret(), BODY))];
    #[rustfmt::skip]
    let cases = [
        (secret(),                              Ok(())),
        (format!("{} {other}", secret()),       Ok(())),
        (format!("{other}\n{}", secret()),      Ok(())),
        (other,                                 Err(WebhookError::Forged)),
        (secret().to_uppercase(),               Err(WebhookError::Forged)),
        (format!("whsec_{}", secret()),         Err(WebhookError::Forged)),
    ];
    for (secrets, want) in cases {
        assert_eq!(verify(&rows, BODY, &secrets), want, "{secrets}");
    }
}

#[test]
fn secrets_are_long_and_not_printed() {
    #[rustfmt::skip]
    let rows = [
        (String::new(),                         Some("there is no secret")),
        (" \n".to_owned(),                      Some("there is no secret")),
        ("k".repeat(15),                        Some("number 1 needs at least 16 characters")),
        (format!("{} k", secret()),             Some("number 2 needs at least 16 characters")),
        ("k".repeat(16),                        None),
    ];
    for (text, want) in rows {
        let error = text.parse::<WebhookSecrets>().err().map(|it| it.to_string());
        assert_eq!(error.as_deref(), want, "{text}");
    }
    let secrets: WebhookSecrets = secret().parse().unwrap();
    assert_eq!(format!("{secrets:?}"), "WebhookSecrets(1)");
}

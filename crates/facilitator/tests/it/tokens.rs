//! What facilitators are shown.

use facilitator::Facilitators;

use crate::world::{LIMITS, REQUEST, Sent, World, reply};

/// The key of RFC 8037, appendix A, as the platform writes it.
const KEY: &str =
    "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==";

/// Made by Node's `crypto` from that key.
const TOKEN: &str = "eyJhbGciOiJFZERTQSIsImtpZCI6IjNmMWMwYTUyLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwMSIsIm5vbmNlIjoiMGIwYjBiMGIwYjBiMGIwYjBiMGIwYjBiMGIwYjBiMGIiLCJ0eXAiOiJKV1QifQ.\
    eyJleHAiOjE3OTUwMDAxMjAsImlhdCI6MTc5NTAwMDAwMCwiaXNzIjoiY2RwIiwibmJmIjoxNzk1MDAwMDAwLCJzdWIiOiIzZjFjMGE1Mi0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCJ1cmlzIjpbIlBPU1QgYXBpLmNkcC5leGFtcGxlL3BsYXRmb3JtL3YyL3g0MDIvc2V0dGxlIl19.\
    kOw90tqkfyIxHsrKKpc3hghIk1d_yKpTTQ-TTyAjWZO8xD2a9JI82CZe9aq7HkIC4CBKxOCex9z7y18dp-DqAg";

#[test]
fn each_facilitator_is_shown_its_own_credentials() {
    const A: &str = "https://a.example/settle";
    const B: &str = "https://api.cdp.example/platform/v2/x402/settle";
    const C: &str = "http://c.example:4020/settle";
    let urls = "https://a.example https://api.cdp.example/platform/v2/x402 http://c.example:4020/";
    let credentials = format!(
        r#"{{
            "https://api.cdp.example/platform/v2/x402": {{
                "cdp_key_id": "3f1c0a52-0000-4000-8000-000000000001", "cdp_key_secret": "{KEY}"
            }},
            "http://c.example:4020": {{ "bearer": "b" }}
        }}"#
    );
    let facilitators = Facilitators::parse(urls, &credentials).unwrap();
    let world = World::new([(A, reply(404, "")), (B, reply(404, "")), (C, reply(404, ""))]);
    world.settle(&facilitators);
    let sent = |url: &str, authorization: Option<String>| Sent {
        url: url.to_owned(),
        headers: authorization.into_iter().map(|it| ("authorization", it)).collect(),
        body: REQUEST.body.to_owned(),
        limits: LIMITS,
    };
    let token = Some(format!("Bearer {TOKEN}"));
    let want = [sent(A, None), sent(B, token), sent(C, Some("Bearer b".to_owned()))];
    assert_eq!(world.sent(), want);
}

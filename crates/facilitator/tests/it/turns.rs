//! Who is asked after whom.

use alloy_primitives::B256;
use evm::{Reply, SendError};
use facilitator::{Answer, Facilitators};

use crate::world::{World, reply};

const A: &str = "https://a.example/SECRET/settle";
const B: &str = "https://b.example/settle";
const SETTLED: &str = r#"{
    "success": true,
    "transaction": "0xf1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1",
    "network": "eip155:8453"
}"#;

/// The answer, and how many were asked.
fn settle(a: Result<Reply, SendError>, b: Result<Reply, SendError>) -> (Answer, usize) {
    let facilitators = "https://a.example/SECRET https://b.example";
    let facilitators = Facilitators::parse(facilitators, "").unwrap();
    let world = World::new([(A, a), (B, b)]);
    let answer = world.settle(&facilitators);
    (answer, world.sent().len())
}

/// Two of them with one payment would be a payment that one of them calls failed.
#[test]
fn the_next_one_is_asked_only_if_the_one_before_has_not_looked_at_it() {
    let settled = Answer::Settled { transaction: B256::repeat_byte(0xf1) };
    let not_sent = || Err(SendError::NotSent("ConnectionRefused".to_owned()));
    let unreachable = || Err(SendError::Unreachable("ConnectionTerminated".to_owned()));
    let refused = r#"{"success": false, "errorReason": "insufficient_funds"}"#;
    #[rustfmt::skip]
    let rows = [
        // the first one says           asked
        (not_sent(),                    2),
        (reply(301, ""),                2),
        (reply(308, SETTLED),           1),
        (reply(308, r#"{"success": true}"#), 1),
        (reply(308, "<html>"),          2),
        (reply(399, ""),                2),
        (reply(401, refused),           2),
        (reply(403, ""),                2),
        (reply(403, &SETTLED.replace("true", "false")), 1),
        (reply(404, "<html>"),          2),
        (reply(405, ""),                2),
        (reply(429, ""),                2),
        (unreachable(),                 1),
        (Err(SendError::TimedOut),      1),
        (Err(SendError::TooLarge),      1),
        (reply(200, SETTLED),           1),
        (reply(200, refused),           1),
        (reply(200, "{}"),              1),
        (reply(204, ""),                1),
        (reply(400, refused),           1),
        (reply(400, ""),                1),
        (reply(402, refused),           1),
        (reply(408, ""),                1),
        (reply(409, ""),                1),
        (reply(500, ""),                1),
        (reply(502, "<html>"),          1),
        (reply(503, ""),                1),
        (reply(504, ""),                1),
    ];
    for (index, (first, want)) in rows.into_iter().enumerate() {
        let (answer, n_asked) = settle(first, reply(200, SETTLED));
        assert_eq!(n_asked, want, "row {index}");
        assert!(n_asked == 1 || answer == settled, "row {index}: {answer:?}");
    }
}

#[test]
fn if_nobody_has_looked_at_it_the_log_says_why() {
    let not_sent = SendError::NotSent("no way\nto /SECRET".to_owned());
    let why = vec![
        "https://a.example:443: not sent: no way to /***".to_owned(),
        "https://b.example:443: status 403".to_owned(),
    ];
    assert_eq!(settle(Err(not_sent), reply(403, "")), (Answer::NotAsked { why }, 2));
}

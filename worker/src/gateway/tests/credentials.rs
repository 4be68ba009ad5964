//! Credentials by ticket.

use domain::{SpaceId, Timestamp};
use fleet::TicketKind;
use serde_json::{Value, json};

use super::{Bench, TICKET_KEY, Ticket, body, header, now, space_id, status};

fn ticket(space: SpaceId, until_ms: i64) -> Ticket {
    Ticket {
        space,
        kind: TicketKind::Credentials,
        service: None,
        tail: 0,
        follow: false,
        until: Timestamp::from_unix_ms(now().unix_ms() + until_ms),
    }
}

/// The answer to who comes with this ticket: its status, and the code of its problem if it is one.
async fn answer(bench: &Bench, method: &str, path: &str, ticket: &str) -> (u16, Value) {
    let line = format!("{method} {path}?ticket={ticket} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n");
    let answer = bench.ask(&line).await;
    assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"), "{line}");
    assert_eq!(header(&answer, "cache-control"), Some("no-store"), "{line}");
    let body: Value = serde_json::from_str(body(&answer)).unwrap();
    let is_problem = header(&answer, "content-type") == Some("application/problem+json");
    (status(&answer), if is_problem { body["code"].clone() } else { body })
}

#[tokio::test]
async fn only_a_ticket_for_credentials_gets_them() {
    let bench = Bench::new().await;
    let path = "/_spaceport/v1/credentials";
    let sign = |ticket: Ticket| ticket.sign(&TICKET_KEY);
    let good = ticket(space_id(), 5);
    let logs = Ticket { kind: TicketKind::Logs, ..good.clone() };
    let of = |n: &str| {
        let id = format!("{}{n}", &space_id().as_str()[..space_id().as_str().len() - 1]);
        sign(ticket(id.parse().unwrap(), 5))
    };
    #[rustfmt::skip]
    let rows = [
        ("GET",  path,                    sign(logs.clone()),               403, json!("bad-ticket")),
        ("GET",  "/_spaceport/v1/logs",   sign(good.clone()),               403, json!("bad-ticket")),
        ("GET",  path,                    sign(ticket(space_id(), 0)),      403, json!("ticket-expired")),
        ("GET",  path,                    good.sign(&[4; 32]),              403, json!("bad-ticket")),
        ("GET",  path,                    String::new(),                    403, json!("bad-ticket")),
        ("POST", path,                    sign(good.clone()),               405, json!("method-not-allowed")),
        ("GET",  path,                    of("2"),                          409, json!("credentials-not-ready")),
        ("GET",  path,                    of("3"),                          404, json!("no-credentials")),
        ("GET",  path,                    of("4"),                          503, json!("credentials-unavailable")),
    ];
    for (method, path, ticket, want_status, want) in rows {
        let got = answer(&bench, method, path, &ticket).await;
        assert_eq!(got, (want_status, want), "{method} {path} {ticket}");
    }
    // None of them has taken anything.
    let want = json!({
        "username": "admin@garden.localhost",
        "password": "\"open\"",
        "url": "http://garden.localhost:8080",
    });
    assert_eq!(answer(&bench, "GET", path, &sign(good)).await, (200, want));
}

#[tokio::test]
async fn a_lost_answer_can_be_had_again_and_no_other_ticket_gets_one() {
    let bench = Bench::new().await;
    let path = "/_spaceport/v1/credentials";
    let first = ticket(space_id(), 5).sign(&TICKET_KEY);
    let second = ticket(space_id(), 6).sign(&TICKET_KEY);
    for (ticket, want) in [(&first, 200), (&second, 410), (&first, 200), (&second, 410)] {
        let (status, got) = answer(&bench, "GET", path, ticket).await;
        assert_eq!(status, want, "{got}");
        assert_eq!(got == json!("credentials-taken"), want == 410, "{got}");
    }
}

//! Logs by ticket.

use fleet::TicketKind;

use super::{Bench, TICKET_KEY, Ticket, body, header, now, space_id, status};
use domain::Timestamp;

fn ticket(until_ms: i64) -> Ticket {
    Ticket {
        space: space_id(),
        kind: TicketKind::Logs,
        service: Some("web".to_owned()),
        tail: 7,
        follow: true,
        until: Timestamp::from_unix_ms(now().unix_ms() + until_ms),
    }
}

#[tokio::test]
async fn only_a_valid_ticket_shows_logs() {
    let bench = Bench::new().await;
    let good = ticket(1).sign(&TICKET_KEY);
    let late = ticket(0).sign(&TICKET_KEY);
    let forged = ticket(1).sign(&[4; 32]);
    let logs = "/_spaceport/v1/logs";
    #[rustfmt::skip]
    let rows = [
        (format!("GET {logs}?ticket={good}"),                 200, None),
        (format!("GET {logs}?utm=1&ticket={good}"),           200, None),
        (format!("GET {logs}?ticket={late}"),                 403, Some("ticket-expired")),
        (format!("GET {logs}?ticket={forged}"),               403, Some("bad-ticket")),
        (format!("GET {logs}?ticket=x{good}"),                403, Some("bad-ticket")),
        (format!("GET {logs}?ticket={forged}&ticket={good}"), 403, Some("bad-ticket")),
        (format!("GET {logs}?xticket={good}"),                403, Some("bad-ticket")),
        (format!("GET {logs}"),                               403, Some("bad-ticket")),
        (format!("POST {logs}?ticket={good}"),                405, Some("method-not-allowed")),
        (format!("GET {logs}/?ticket={good}"),                404, Some("not-found")),
        (format!("GET /_spaceport/v2?ticket={good}"),         404, Some("not-found")),
    ];
    for (line, want_status, want_code) in rows {
        // On any host, whether or not there is a space.
        let answer = bench.ask(&format!("{line} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")).await;
        assert_eq!(status(&answer), want_status, "{line}");
        if let Some(code) = want_code {
            let problem: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
            assert_eq!(problem["code"], code, "{line}");
            assert_eq!(header(&answer, "content-type"), Some("application/problem+json"));
        } else {
            assert_eq!(body(&answer), format!("{} Some(\"web\") 7 true\n", space_id()), "{line}");
            assert_eq!(header(&answer, "content-type"), Some("text/plain; charset=utf-8"));
        }
        assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"));
    }
}

#[tokio::test]
async fn a_space_never_sees_a_ticket() {
    let bench = Bench::with_space().await;
    let answer = bench.get("/_spaceport/v1/other?ticket=x", "").await;
    assert_eq!(status(&answer), 404);
    assert!(body(&answer).contains("not-found"), "{answer}");
}

//! What owners are told, in words.

use domain::SpaceName;
use records::EventRecord;
use serde_json::Value;

/// A mail.
pub(crate) struct Mail {
    pub(crate) subject: String,
    pub(crate) body: String,
}

/// What an event means to the owner of the space `name`, and what to do about it.
pub(crate) fn mail(name: &SpaceName, event: &EventRecord, pay_url: &str) -> Mail {
    let detail = |field: &str| match &event.detail[field] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (subject, said, is_to_pay) = match event.kind.as_str() {
        "balance-low" => (
            format!("{name}: the balance lasts until {}", detail("paid_until")),
            format!(
                "The balance of {} USD lasts until {}.",
                detail("balance"),
                detail("paid_until")
            ),
            true,
        ),
        "balance-used-up" => (
            format!("{name}: the balance is used up"),
            format!(
                "{} USD are owed. The space runs on until {}, and is suspended then.",
                detail("owed"),
                detail("suspended_at")
            ),
            true,
        ),
        "suspended" => (
            format!("{name} is suspended"),
            format!(
                "{} USD are owed, so the space is stopped. Its data is kept until {}, and deleted \
                 then. It runs again as soon as somebody pays.",
                detail("owed"),
                detail("deleted_at")
            ),
            true,
        ),
        "deletion-near" => (
            format!("{name} is deleted in {} days", detail("days")),
            format!(
                "The space is suspended and {} USD are owed. It is deleted at {}, with its data.",
                detail("owed"),
                detail("deleted_at")
            ),
            true,
        ),
        "deleted-unpaid" => (
            format!("{name} is deleted"),
            "Nobody paid for the space in time. Its host keeps a last backup for a while: ask the \
             operator."
                .to_owned(),
            false,
        ),
        "resumed" => {
            (format!("{name} runs again"), "The space is paid and runs again.".to_owned(), false)
        }
        kind => (format!("{name}: {kind}"), format!("{kind}: {}", event.detail), false),
    };
    let how = if is_to_pay {
        format!("\n\nHow to pay: spaceport pay, or POST with x402 to {pay_url}")
    } else {
        String::new()
    };
    Mail { subject, body: format!("{said}{how}\n\nSpace {name}, {} (UTC)\n", event.at) }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn each_notice_says_what_happens_when_and_how_to_pay() {
        let event = |kind: &str, detail: Value| EventRecord {
            seq: 1,
            at: Timestamp::from_unix_ms(0),
            kind: kind.to_owned(),
            actor: "spaceport".to_owned(),
            detail,
        };
        #[rustfmt::skip]
        let rows = [
            ("balance-low", json!({ "paid_until": "T1", "balance": "1.00", "days": 3 }), "T1", true),
            ("balance-used-up", json!({ "owed": "0.01", "suspended_at": "T2" }), "T2", true),
            ("suspended", json!({ "owed": "0.01", "deleted_at": "T3" }), "T3", true),
            ("deletion-near", json!({ "owed": "0.01", "deleted_at": "T4", "days": 7 }), "T4", true),
            ("deleted-unpaid", json!({ "owed": "0.01" }), "backup", false),
            ("resumed", json!({ "by": "payment" }), "runs again", false),
        ];
        for (kind, detail, want, is_to_pay) in rows {
            let name = "garden".parse().unwrap();
            let mail = mail(&name, &event(kind, detail), "https://edge.example/pay");
            assert!(mail.subject.starts_with("garden"), "{}", mail.subject);
            assert!(mail.body.contains(want), "{kind}: {}", mail.body);
            assert_eq!(mail.body.contains("https://edge.example/pay"), is_to_pay, "{kind}");
            assert!(!mail.body.contains("null"), "{kind}: {}", mail.body);
        }
    }
}

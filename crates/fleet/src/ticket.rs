//! Tickets: what the edge lets somebody read straight from a host's gateway.
//!
//! `<payload>.<signature>`, both in base64url without padding: the payload is a [`Ticket`] in JSON,
//! the signature its HMAC-SHA256 with the host's ticket key. The host keeps no list of tickets, so a
//! ticket is valid for as long as it says and should not say long.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{SpaceId, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Longest ticket that is looked at, in bytes.
const TICKET_LEN_MAX: usize = 1024;

/// The right to read something of one space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// Of which space.
    pub space: SpaceId,
    /// What may be read.
    pub kind: TicketKind,
    /// Which service of it; all if none.
    pub service: Option<String>,
    /// How many of the newest lines of each service to begin with; at most [`Ticket::TAIL_MAX`].
    pub tail: u32,
    /// Whether to go on with what comes later.
    pub follow: bool,
    /// The first moment at which it is too late to use the ticket. What was begun goes on.
    pub until: Timestamp,
}

/// What a ticket lets one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketKind {
    /// What the space's services wrote to their standard streams.
    Logs,
    /// What its owner needs to use it: the user name and the password of its first admin.
    Credentials,
}

/// Why a ticket is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// The edge did not make it, or not for this host.
    #[error("this ticket is not for this host")]
    Foreign,
    /// The edge made it, and its time is over.
    #[error("this ticket has expired")]
    Expired,
}

impl Ticket {
    /// Most lines of a service that a ticket begins with.
    pub const TAIL_MAX: u32 = 1000;

    /// The ticket as text.
    #[must_use]
    pub fn sign(&self, key: &[u8; 32]) -> String {
        let payload = self.payload();
        let signature = URL_SAFE_NO_PAD.encode(mac(key, &payload).finalize().into_bytes());
        format!("{payload}.{signature}")
    }

    /// Reads a ticket that was signed with `key` and is still valid at `now`.
    ///
    /// # Errors
    /// [`TicketError`].
    pub fn verify(text: &str, key: &[u8; 32], now: Timestamp) -> Result<Self, TicketError> {
        let ticket = Self::open(text, key).ok_or(TicketError::Foreign)?;
        if now < ticket.until { Ok(ticket) } else { Err(TicketError::Expired) }
    }

    fn payload(&self) -> String {
        let json = serde_json::to_vec(self).expect("a ticket is plain data");
        URL_SAFE_NO_PAD.encode(json)
    }

    /// The ticket, if it was signed with `key`.
    fn open(text: &str, key: &[u8; 32]) -> Option<Self> {
        if TICKET_LEN_MAX < text.len() {
            return None;
        }
        let (payload, signature) = text.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        // In constant time.
        mac(key, payload).verify_slice(&signature).ok()?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let ticket: Self = serde_json::from_slice(&payload).ok()?;
        (ticket.tail <= Self::TAIL_MAX).then_some(ticket)
    }
}

fn mac(key: &[u8; 32], payload: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(key).expect("any key length will do");
    mac.update(payload.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const NOW: Timestamp = Timestamp::from_unix_ms(1_795_000_000_000);

    fn ticket() -> Ticket {
        Ticket {
            space: SpaceId::new(NOW, [1; 10]),
            kind: TicketKind::Logs,
            service: Some("web".to_owned()),
            tail: 100,
            follow: false,
            until: Timestamp::from_unix_ms(NOW.unix_ms() + 1),
        }
    }

    /// `payload`, signed as the edge signs.
    fn signed(payload: &str) -> String {
        let payload = URL_SAFE_NO_PAD.encode(payload);
        let signature = URL_SAFE_NO_PAD.encode(mac(&KEY, &payload).finalize().into_bytes());
        format!("{payload}.{signature}")
    }

    #[test]
    fn a_ticket_is_read_as_it_was_signed() {
        let all = Ticket { service: None, follow: true, tail: Ticket::TAIL_MAX, ..ticket() };
        let credentials = Ticket { kind: TicketKind::Credentials, ..ticket() };
        for ticket in [ticket(), all, credentials] {
            assert_eq!(Ticket::verify(&ticket.sign(&KEY), &KEY, NOW), Ok(ticket));
        }
    }

    #[test]
    fn the_payload_is_the_json_that_the_contract_says() {
        let text = ticket().sign(&KEY);
        let payload = URL_SAFE_NO_PAD.decode(text.split_once('.').unwrap().0).unwrap();
        let got: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        let want = serde_json::json!({
            "space": ticket().space, "kind": "logs", "service": "web", "tail": 100,
            "follow": false, "until": "2026-11-18T11:06:40.001Z",
        });
        assert_eq!(got, want);
    }

    #[test]
    fn other_tickets_are_refused() {
        let good = ticket().sign(&KEY);
        let (payload, signature) = good.split_once('.').unwrap();
        let json = serde_json::to_string(&ticket()).unwrap();
        let late = Timestamp::from_unix_ms(NOW.unix_ms() + 1);
        assert_eq!(Ticket::verify(&signed(&json), &KEY, NOW), Ok(ticket()), "the base of the rows");
        #[rustfmt::skip]
        let rows = [
            ("its time is over",    good.clone(),                                late, TicketError::Expired),
            ("another key",         ticket().sign(&[8; 32]),                     NOW,  TicketError::Foreign),
            ("another key, late",   ticket().sign(&[8; 32]),                     late, TicketError::Foreign),
            ("nothing",             String::new(),                               NOW,  TicketError::Foreign),
            ("no signature",        payload.to_owned(),                          NOW,  TicketError::Foreign),
            ("empty signature",     format!("{payload}."),                       NOW,  TicketError::Foreign),
            ("half a signature",    format!("{payload}.{}", &signature[..20]),   NOW,  TicketError::Foreign),
            ("changed payload",     format!("A{}.{signature}", &payload[1..]),   NOW,  TicketError::Foreign),
            ("padding",             format!("{good}="),                          NOW,  TicketError::Foreign),
            ("a third part",        format!("{good}.{signature}"),               NOW,  TicketError::Foreign),
            ("not JSON",            signed("hello"),                             NOW,  TicketError::Foreign),
            ("other kind",          signed(&json.replace("logs", "root")),       NOW,  TicketError::Foreign),
            ("other space id",      signed(&json.replace("spc_", "spx_")),       NOW,  TicketError::Foreign),
            ("unknown member",      signed(&json.replace("\"tail", "\"x\":1,\"tail")), NOW, TicketError::Foreign),
            ("too many lines",      signed(&json.replace("100", "1001")),        NOW,  TicketError::Foreign),
            ("too long",            signed(&json.replace("web", &"w".repeat(TICKET_LEN_MAX))), NOW, TicketError::Foreign),
        ];
        for (name, text, now, want) in rows {
            assert_eq!(Ticket::verify(&text, &KEY, now), Err(want), "{name}");
        }
    }
}

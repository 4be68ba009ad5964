//! Mailing a notice.

use std::{error::Error, fmt, time::Duration};

use fleet::Delivery;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
};
use tokio::time::timeout;

use super::Problem;

/// How long a mail server may take in all: all mails of one lease are told of before it ends.
const TIME_MAX: Duration = Duration::from_secs(20);

/// Says that nobody wrote this, so that nobody's absence is answered to it. Source: RFC 3834 §5.
#[derive(Clone, Debug)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Who sends mails, and by which server.
#[derive(Clone)]
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for Mail {
    /// Without the server, whose URL has a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}

/// What is said of the mail server can't be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The server's URL.
    #[error("this is not the URL of a mail server, such as smtps://user:password@mail.example.org")]
    Server,
    /// The sender's address.
    #[error("this is not a sender, such as Spaceport <notices@example.org>")]
    From,
}

impl Mail {
    /// Mails are sent `from` there, by the server at `url`: `smtps://` has TLS from the first byte,
    /// `smtp://…?tls=required` from a command on, `smtp://` alone never.
    ///
    /// # Errors
    /// [`MailError`].
    pub fn new(url: &str, from: &str) -> Result<Self, MailError> {
        let from = from.parse().map_err(|_| MailError::From)?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
        Ok(Self { transport: transport.map_err(|_| MailError::Server)?.build(), from })
    }

    /// Mails it.
    ///
    /// # Errors
    /// [`Problem`] unless the server takes it.
    pub(super) async fn send(&self, delivery: &Delivery) -> Result<(), Problem> {
        let to: Address = delivery.target.parse().map_err(|_| Problem::last("it is no address"))?;
        let domain = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&delivery.subject)
            .message_id(Some(format!("<{}@{domain}>", delivery.id)))
            .header(ContentType::TEXT_PLAIN)
            .header(AutoSubmitted)
            .body(delivery.body.clone())
            .map_err(|_| Problem::last("no mail can be made of it"))?;
        let later = || Problem::again("the mail server does not take it now");
        let sent = timeout(TIME_MAX, self.transport.send(message)).await.map_err(|_| later())?;
        sent.map(|_| ()).map_err(|error| {
            let is_of_ours = error.status().is_some_and(|it| is_of_password(it.into()));
            if error.is_permanent() && !is_of_ours {
                Problem::last("the mail server refuses it")
            } else {
                later()
            }
        })
    }
}

/// Whether a server answers so to who has not said the right password: that is for the operator to put
/// right, and no tenant's notice is lost by it. Source: RFC 4954 §6.
const fn is_of_password(code: u16) -> bool {
    matches!(code, 530 | 534 | 535 | 538)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_and_a_sender_are_what_they_look_like() {
        let good = "smtps://user:password@mail.example.org";
        #[rustfmt::skip]
        let rows = [
            (good,                    "a@example.org",             None),
            ("smtp://127.0.0.1:2525", "Spaceport <a@example.org>", None),
            ("mail.example.org",      "a@example.org",             Some(MailError::Server)),
            ("http://example.org",    "a@example.org",             Some(MailError::Server)),
            (good,                    "nobody",                    Some(MailError::From)),
            (good,                    "a@example.org\r\nBcc: b@example.org", Some(MailError::From)),
        ];
        for (url, from, want) in rows {
            assert_eq!(Mail::new(url, from).err(), want, "{url} {from}");
        }
        let shown = format!("{:?}", Mail::new(good, "a@example.org").unwrap());
        assert!(!shown.contains("password"), "{shown}");
    }
}

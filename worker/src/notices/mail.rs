//! Mailing a notice.

use std::fmt;

use fleet::Delivery;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};

use super::Problem;

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
            .body(delivery.body.clone())
            .map_err(|_| Problem::last("no mail can be made of it"))?;
        self.transport.send(message).await.map(|_| ()).map_err(|error| {
            if error.is_permanent() {
                Problem::last("the mail server refuses it")
            } else {
                Problem::again("the mail server does not take it now")
            }
        })
    }
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

//! Where tenants want to be told what happens to their spaces.

use domain::{Timestamp, Wallet};

use crate::{
    Records,
    database::{Database, DatabaseError, params},
};

/// Where a wallet wants to be told.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// The URL that is posted to, and the secret that this is signed with.
    pub webhook: Option<Webhook>,
    /// The address that is written to.
    pub email: Option<String>,
}

/// A URL that is posted to.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The URL.
    pub url: String,
    /// The secret, as the tenant has it: `whsec_...`.
    pub secret: String,
}

impl<D: Database> Records<D> {
    /// Where `wallet` wants to be told, if anywhere.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn contact(&self, wallet: &Wallet) -> Result<Option<Contact>, DatabaseError> {
        let statement = "SELECT webhook_url, webhook_secret, email FROM contacts WHERE wallet = ?";
        let rows = self.database.execute(statement, params![wallet.to_string()]).await?;
        Ok(rows.first().map(|row| {
            let text = |index| row.optional_text(index).map(str::to_owned);
            let webhook = text(0).zip(text(1)).map(|(url, secret)| Webhook { url, secret });
            Contact { webhook, email: text(2) }
        }))
    }

    /// Has `wallet` told there from now on.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn set_contact(
        &self,
        wallet: &Wallet,
        contact: &Contact,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let statement = "INSERT INTO contacts (wallet, webhook_url, webhook_secret, email, \
             updated_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (wallet) DO UPDATE SET \
             webhook_url = excluded.webhook_url, webhook_secret = excluded.webhook_secret, \
             email = excluded.email, updated_at = excluded.updated_at";
        let webhook = contact.webhook.as_ref();
        let parameters = params![
            wallet.to_string(),
            webhook.map(|it| it.url.as_str()),
            webhook.map(|it| it.secret.as_str()),
            contact.email.as_deref(),
            now,
        ];
        self.database.execute(statement, parameters).await.map(|_| ())
    }

    /// Has `wallet` told nowhere. Says whether that is news.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn remove_contact(&self, wallet: &Wallet) -> Result<bool, DatabaseError> {
        let statement = "DELETE FROM contacts WHERE wallet = ? RETURNING wallet";
        let rows = self.database.execute(statement, params![wallet.to_string()]).await?;
        Ok(!rows.is_empty())
    }
}

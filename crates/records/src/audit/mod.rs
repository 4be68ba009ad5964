//! Whether the books are right, and whether there is what there should be.

mod hosts;
mod usage;

pub use hosts::{HostFindings, MissingVolumes, Stray};
pub use usage::UsageFindings;

use domain::{SpaceId, Timestamp};

use crate::{
    PaymentRecord, Records,
    database::{Database, DatabaseError, Row, params},
    payment_record::{SELECT, record},
};

/// Most of one kind of finding that are listed.
const LISTED_MAX: i64 = 100;

/// What is not as it must be. All of it is empty if everything is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audit {
    /// Accounts that are not the sum of their transfers.
    pub bad_accounts: Vec<BadAccount>,
    /// Settled payments that were not credited, and credits of payments that were not settled, by
    /// the payment's id.
    pub bad_credits: Vec<String>,
    /// Spaces without an owner.
    pub ownerless_spaces: Vec<SpaceId>,
    /// Money on spaces that are gone, by account.
    pub orphaned_money: Vec<String>,
    /// Holds that should have expired, by the transfer's id.
    pub overdue_holds: Vec<String>,
    /// What is wrong with what was used and charged.
    pub usage: UsageFindings,
    /// What is wrong between the records and the hosts.
    pub hosts: HostFindings,
    /// Payments of which nobody knows what became of them. They are no fault of the books.
    pub unresolved_payments: Vec<PaymentRecord>,
}

/// An account that is not the sum of its transfers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAccount {
    /// Its name.
    pub account: String,
    /// Its balance with what is incoming, in µUSD, as it is kept.
    pub kept: i64,
    /// What its transfers add up to.
    pub sum: i64,
}

impl Audit {
    /// Whether the books balance.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.bad_accounts.is_empty()
            && self.bad_credits.is_empty()
            && self.orphaned_money.is_empty()
            && self.overdue_holds.is_empty()
            && self.usage == UsageFindings::default()
    }

    /// Whether nothing at all was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.is_balanced()
            && self.ownerless_spaces.is_empty()
            && self.hosts == HostFindings::default()
            && self.unresolved_payments.is_empty()
    }
}

/// Every account by its transfers alone. Both ends of each are in it, so all sums add up to zero.
const SUMS: &str = "SELECT account, sum(amount) AS sum FROM ( \
      SELECT credit AS account, amount FROM transfers WHERE coalesce(outcome <> 'posted', TRUE) \
      UNION ALL \
      SELECT debit, -amount FROM transfers WHERE coalesce(outcome <> 'posted', TRUE) \
    ) GROUP BY account";

impl<D: Database> Records<D> {
    /// Looks for what is not as it must be. Reads everything there is of money.
    ///
    /// # Errors
    /// [`DatabaseError`].
    pub async fn audit(&self, now: Timestamp) -> Result<Audit, DatabaseError> {
        let bad_accounts = format!(
            "WITH sums AS ({SUMS}) \
             SELECT account, coalesce(credits - debits - held + incoming, 0), coalesce(sum, 0) \
             FROM accounts FULL JOIN sums USING (account) \
             WHERE coalesce(credits - debits - held + incoming, 0) <> coalesce(sum, 0) \
             ORDER BY account LIMIT ?"
        );
        let bad_credits = "SELECT id FROM payments WHERE (state = 'settled') <> \
             ((SELECT count(*) FROM transfers WHERE payment = payments.id AND kind = 'payment' \
               AND amount = payments.amount AND credit = payments.account) = 1) \
             ORDER BY created_at LIMIT ?";
        let ownerless = "SELECT id FROM spaces WHERE phase <> 'deleted' AND NOT EXISTS \
             (SELECT 1 FROM members WHERE space = spaces.id AND role = 'owner') LIMIT ?";
        let orphaned = "SELECT account FROM accounts LEFT JOIN spaces \
             ON account = 'space:' || spaces.id WHERE account GLOB 'space:*' \
             AND coalesce(desired = 'deleted', TRUE) \
             AND credits - debits - held + incoming <> 0 LIMIT ?";
        // The job that ends them runs every minute.
        let overdue = "SELECT id FROM transfers AS hold WHERE expires_at + 600000 < ?2 \
             AND NOT EXISTS (SELECT 1 FROM transfers WHERE ends = hold.id) LIMIT ?1";
        let unresolved = format!(
            "{SELECT} WHERE state = 'unknown' OR (state = 'settling' AND lease_until <= ?2) \
             ORDER BY created_at LIMIT ?1"
        );
        Ok(Audit {
            bad_accounts: self.found(&bad_accounts, params![LISTED_MAX], bad_account).await?,
            bad_credits: self.found(bad_credits, params![LISTED_MAX], text).await?,
            ownerless_spaces: self
                .found(ownerless, params![LISTED_MAX], |row| row.text(0).parse().ok())
                .await?,
            orphaned_money: self.found(orphaned, params![LISTED_MAX], text).await?,
            overdue_holds: self.found(overdue, params![LISTED_MAX, now], text).await?,
            usage: self.audit_usage().await?,
            hosts: self.audit_hosts(now).await?,
            unresolved_payments: self
                .found(&unresolved, params![LISTED_MAX, now], |row| record(row).ok())
                .await?,
        })
    }

    async fn found<T>(
        &self,
        statement: &str,
        parameters: Vec<crate::Value>,
        read: impl Fn(&Row) -> Option<T>,
    ) -> Result<Vec<T>, DatabaseError> {
        let rows = self.database.execute(statement, parameters).await?;
        let unreadable = || DatabaseError("a row of the audit can't be read".to_owned());
        rows.iter().map(|row| read(row).ok_or_else(unreadable)).collect()
    }
}

fn text(row: &Row) -> Option<String> {
    Some(row.text(0).to_owned())
}

fn bad_account(row: &Row) -> Option<BadAccount> {
    let account = row.text(0).to_owned();
    Some(BadAccount { account, kept: row.integer(1), sum: row.integer(2) })
}

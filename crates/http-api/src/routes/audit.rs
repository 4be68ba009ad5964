//! `GET /v1/admin/audit`: whether the books balance, and what nobody knows yet.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::{Money, SpaceId, Timestamp};
use records::BadAccount;
use serde::Serialize;

use crate::{Edge, Platform, caller::Operator, error::ApiError, money_view::PaymentView};

#[derive(Serialize)]
pub(super) struct AuditView {
    /// Whether nothing at all is found.
    ok: bool,
    books: BooksView,
    /// Spaces without an owner.
    claims_without_owner: Vec<SpaceId>,
    /// Money of spaces that are gone, by account.
    orphans: Vec<String>,
    unresolved_payments: Vec<PaymentView>,
    checked_at: Timestamp,
}

#[derive(Serialize)]
struct BooksView {
    /// Whether every transfer is in both of its accounts, and every settled payment credited once.
    balance: bool,
    bad_accounts: Vec<BadAccountView>,
    bad_credits: Vec<String>,
    overdue_holds: Vec<String>,
}

#[derive(Serialize)]
struct BadAccountView {
    account: String,
    kept: String,
    sum: String,
}

pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    _operator: Operator,
) -> Result<Json<AuditView>, ApiError> {
    let now = edge.platform.now();
    let audit = edge.records().await?.audit(now).await?;
    let balance = audit.is_balanced();
    Ok(Json(AuditView {
        ok: balance && audit.ownerless_spaces.is_empty() && audit.unresolved_payments.is_empty(),
        books: BooksView {
            balance,
            bad_accounts: audit.bad_accounts.into_iter().map(BadAccountView::from).collect(),
            bad_credits: audit.bad_credits,
            overdue_holds: audit.overdue_holds,
        },
        claims_without_owner: audit.ownerless_spaces,
        orphans: audit.orphaned_money,
        unresolved_payments: audit.unresolved_payments.into_iter().map(Into::into).collect(),
        checked_at: now,
    }))
}

impl From<BadAccount> for BadAccountView {
    fn from(bad: BadAccount) -> Self {
        let BadAccount { account, kept, sum } = bad;
        Self { account, kept: signed(kept), sum: signed(sum) }
    }
}

/// An amount that may be below zero; in µUSD where it is beyond all reason.
fn signed(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let amount = Money::from_micros(micros.unsigned_abs());
    amount.map_or_else(|| format!("{micros}e-6"), |it| format!("{sign}{it}"))
}

//! `GET /v1/admin/audit`: whether the books balance, and what nobody knows yet.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::{Money, SpaceId, Timestamp};
use records::{BadAccount, HostFindings, MissingVolumes, Stray};
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
    hosts: HostsView,
    checked_at: Timestamp,
}

#[derive(Serialize)]
struct BooksView {
    /// Whether every transfer is in both of its accounts, and every settled payment credited once.
    balance: bool,
    bad_accounts: Vec<BadAccountView>,
    bad_credits: Vec<String>,
    overdue_holds: Vec<String>,
    /// Hours of usage that are not the sum of their readings.
    bad_hours: Vec<String>,
    /// Lines whose amount is not what their quantity costs.
    bad_lines: Vec<String>,
    /// Spaces whose lines and ledger disagree about what they were charged.
    bad_charges: Vec<String>,
    /// Invoices that are not the sum of their lines.
    bad_invoices: Vec<String>,
    /// Spaces that are charged while suspended, or not charged while they run.
    bad_periods: Vec<String>,
}

#[derive(Serialize)]
struct HostsView {
    /// What is on a host and of no space that should be there.
    strays: Vec<StrayView>,
    /// Spaces that should run and of which nothing runs.
    missing_stacks: Vec<SpaceId>,
    /// Spaces of which volumes with data are gone.
    missing_volumes: Vec<MissingVolumesView>,
    /// Spaces that have been on their way for more than 15 minutes.
    stuck_spaces: Vec<SpaceId>,
    /// Hosts with spaces that were not heard of for 90 seconds.
    silent: Vec<String>,
}

#[derive(Serialize)]
struct StrayView {
    host: String,
    space: String,
    containers: u64,
    volumes: u64,
    networks: u64,
}

#[derive(Serialize)]
struct MissingVolumesView {
    space: SpaceId,
    found: u64,
    wanted: u64,
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
    let (ok, balance) = (audit.is_clean(), audit.is_balanced());
    Ok(Json(AuditView {
        ok,
        books: BooksView {
            balance,
            bad_accounts: audit.bad_accounts.into_iter().map(BadAccountView::from).collect(),
            bad_credits: audit.bad_credits,
            overdue_holds: audit.overdue_holds,
            bad_hours: audit.usage.bad_hours,
            bad_lines: audit.usage.bad_lines,
            bad_charges: audit.usage.bad_charges,
            bad_invoices: audit.usage.bad_invoices,
            bad_periods: audit.usage.bad_periods,
        },
        claims_without_owner: audit.ownerless_spaces,
        orphans: audit.orphaned_money,
        unresolved_payments: audit.unresolved_payments.into_iter().map(Into::into).collect(),
        hosts: audit.hosts.into(),
        checked_at: now,
    }))
}

impl From<HostFindings> for HostsView {
    fn from(found: HostFindings) -> Self {
        let stray = |it: Stray| StrayView {
            host: it.host,
            space: it.space,
            containers: it.n_containers,
            volumes: it.n_volumes,
            networks: it.n_networks,
        };
        let volumes = |it: MissingVolumes| MissingVolumesView {
            space: it.space,
            found: it.found,
            wanted: it.wanted,
        };
        Self {
            strays: found.strays.into_iter().map(stray).collect(),
            missing_stacks: found.missing_stacks,
            missing_volumes: found.missing_volumes.into_iter().map(volumes).collect(),
            stuck_spaces: found.stuck_spaces,
            silent: found.silent_hosts,
        }
    }
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

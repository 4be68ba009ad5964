//! `GET /v1/wallet` and `GET /v1/spaces/{id}/ledger`: whose money is where.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};
use domain::{Money, Wallet};
use ledger::Account;
use serde::{Deserialize, Serialize};

use crate::{
    Edge, Platform,
    caller::Reader,
    error::ApiError,
    money_view::EntryView,
    page::{PageView, QueryOf, limit},
};

/// How many lines of its ledger a wallet is shown with its balance.
const WALLET_LINES: u32 = 200;

#[derive(Serialize)]
pub(super) struct WalletView {
    address: Wallet,
    balance: Money,
    /// What is held for spaces that have not run yet. It is not in the balance.
    held: Money,
    ledger: Vec<EntryView>,
}

pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
) -> Result<Json<WalletView>, ApiError> {
    let account = Account::Wallet(caller.wallet);
    let records = edge.records().await?;
    let balance = records.balance(&account).await?;
    let entries = records.entries(&account, None, WALLET_LINES).await?;
    Ok(Json(WalletView {
        address: caller.wallet,
        balance: balance.available,
        held: balance.held,
        ledger: entries.into_iter().map(|it| EntryView::of(it, &account)).collect(),
    }))
}

#[derive(Deserialize)]
pub(super) struct LedgerQuery {
    after: Option<u64>,
    limit: Option<u32>,
}

pub(super) async fn of_space<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    Path(id): Path<String>,
    QueryOf(query): QueryOf<LedgerQuery>,
) -> Result<Json<PageView<EntryView>>, ApiError> {
    let limit = limit(query.limit)?;
    let records = edge.records().await?;
    let space = records.space_of(&caller.wallet, &id, edge.platform.now()).await?;
    let account = Account::Space(space.ok_or(ApiError::SpaceNotFound)?.id);
    let entries = records.entries(&account, query.after, limit + 1).await?;
    let page = PageView::of(entries, limit, |it| it.seq.to_string());
    let items = page.items.into_iter().map(|it| EntryView::of(it, &account)).collect();
    Ok(Json(PageView { items, next: page.next }))
}

//! `GET /v1/spaces/{id}/invoices`: months that are over, for programs and on paper.

use std::sync::Arc;

use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use billing::Month;
use domain::{Desired, Money, SpaceId, SpaceName, Timestamp, Wallet};
use http::{HeaderMap, header};
use records::{InvoiceRecord, SpaceRecord};
use serde::Serialize;

use super::{line::LineView, space_of};
use crate::{Edge, Platform, caller::Reader, error::ApiError, page::PageView};

/// Nothing from anywhere, and no scripts.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// An invoice as clients see it.
#[derive(Debug, Serialize)]
struct InvoiceView {
    /// Its name among the space's: the month.
    id: String,
    /// Its name among all.
    number: String,
    issuer: String,
    space: SpaceView,
    owner: Wallet,
    issued_at: Timestamp,
    total: Money,
    /// What of it was taken from the balance.
    paid: Money,
    due: Money,
    /// `paid`, `due`, or `uncollectible` where the space is gone.
    state: &'static str,
    /// Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<LineView>>,
}

#[derive(Debug, Serialize)]
struct SpaceView {
    id: SpaceId,
    name: SpaceName,
}

#[derive(Template)]
#[template(path = "invoice.html")]
struct Page<'a> {
    invoice: &'a InvoiceView,
    lines: &'a [LineView],
}

impl InvoiceView {
    fn of(record: &InvoiceRecord, space: &SpaceRecord, issuer: &str) -> Self {
        let due = record.total.saturating_sub(record.paid);
        Self {
            id: record.month.to_string(),
            number: format!("{}/{}", space.id, record.month),
            issuer: issuer.to_owned(),
            space: SpaceView { id: space.id.clone(), name: space.name.clone() },
            owner: space.owner,
            issued_at: record.issued_at,
            total: record.total,
            paid: record.paid,
            due,
            state: match (due.is_zero(), space.desired) {
                (true, _) => "paid",
                (false, Desired::Deleted) => "uncollectible",
                (false, _) => "due",
            },
            lines: None,
        }
    }
}

pub(super) async fn list<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let records = edge.records().await?;
    let space = space_of(&edge, &records, &caller, &id).await?;
    let invoices = records.invoices(&space.id).await?;
    let view = |it| InvoiceView::of(it, &space, &edge.config.base_domain);
    Ok(Json(PageView::whole(invoices.iter().map(view).collect())).into_response())
}

pub(super) async fn show<P: Platform>(
    State(edge): State<Arc<Edge<P>>>,
    Reader(caller): Reader,
    Path((id, month)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let month: Month = month.parse().map_err(|_| ApiError::InvoiceNotFound)?;
    let records = edge.records().await?;
    let space = space_of(&edge, &records, &caller, &id).await?;
    let record = records.invoice(&space.id, month).await?.ok_or(ApiError::InvoiceNotFound)?;
    let invoice = InvoiceView::of(&record, &space, &edge.config.base_domain);
    let lines: Vec<LineView> = record.lines.iter().map(LineView::from).collect();
    if !wants_html(&headers) {
        return Ok(([VARY], Json(InvoiceView { lines: Some(lines), ..invoice })).into_response());
    }
    let page = Page { invoice: &invoice, lines: &lines }.render().map_err(ApiError::internal)?;
    let headers = [
        VARY,
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, page).into_response())
}

/// There are two of each.
const VARY: (header::HeaderName, &str) = (header::VARY, "accept");

/// Browsers name HTML first; programs that take anything get JSON.
fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let mut kinds = accept.split(',').map(|it| it.split(';').next().unwrap_or_default().trim());
    let first = kinds.find(|it| matches!(*it, "text/html" | "application/json" | "*/*"));
    first == Some("text/html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_a_page_and_a_program_json() {
        #[rustfmt::skip]
        let rows = [
            ("",                                          false),
            ("*/*",                                       false),
            ("application/json",                          false),
            ("text/html",                                 true),
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("text/html;q=1",                             true),
            ("application/json, text/html",               false),
            ("text/htmlx",                                false),
        ];
        for (accept, want) in rows {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(wants_html(&headers), want, "{accept}");
        }
    }
}

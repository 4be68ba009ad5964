//! The page, and liveness.

use axum::{
    Json,
    response::{Html, IntoResponse},
};
use http::header;
use serde_json::{Value, json};

/// Says that the process answers. No I/O.
pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// What this is and how to begin.
pub(super) async fn page() -> impl IntoResponse {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers =
        [(header::CONTENT_SECURITY_POLICY, policy), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, Html(include_str!("index.html")))
}

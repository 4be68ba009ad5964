//! The key with which the worker of this process speaks to the edge of this process.

use anyhow::{Context as _, bail};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::{
    client::{Api, ApiError, EdgeUrl},
    files,
    state::State,
};

#[derive(Deserialize)]
struct AddedHost {
    key: String,
}

/// The key of `host`: from the state, or a new one from the edge, which gives a host a new one as
/// long as no worker has used the last.
///
/// # Errors
/// If the edge gives none, or it cannot be kept.
pub(super) async fn host_key(state: &State, edge_url: &str, host: &str) -> anyhow::Result<String> {
    let path = state.host_key_path(host);
    let kept = files::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if let Some(key) = kept.filter(|it| !it.is_empty()) {
        return Ok(key);
    }
    let edge: EdgeUrl = edge_url.parse()?;
    let api = Api::with_token(edge, state.admin_key()?)?;
    let body = json!({ "name": host });
    match api.send(Method::POST, "/v1/admin/hosts", Some(&body)).await {
        Ok(response) => {
            let AddedHost { key } =
                response.json().await.context("the edge's answer is cut off")?;
            files::write(&path, &key)
                .with_context(|| format!("cannot write {}", path.display()))?;
            Ok(key)
        }
        Err(ApiError::Refused { code, .. }) if code == "host-exists" => bail!(
            "the edge knows the host {host}, and its key {} is gone: restore the file, or choose \
             another name with --host",
            path.display()
        ),
        Err(ApiError::Refused { status: StatusCode::UNAUTHORIZED, .. }) => bail!(
            "the edge does not take the admin key of this state: unset \
             SPIN_VARIABLE_ADMIN_KEY_SHA256, or put the key of the host {host} into {}",
            path.display()
        ),
        Err(error) => Err(error).with_context(|| format!("the edge does not add the host {host}")),
    }
}

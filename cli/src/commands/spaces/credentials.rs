//! `spaceport spaces credentials`.

use anyhow::Context as _;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{path_of, ticket};
use crate::{client::Api, output};

/// Of which space.
#[derive(Debug, clap::Args)]
pub(super) struct CredentialsArgs {
    /// Name or id of the space.
    space: String,
}

#[derive(Deserialize, Serialize)]
struct Credentials {
    username: String,
    password: String,
    url: String,
}

/// Shows the credentials, which are handed out once.
pub(super) async fn run(api: &Api, args: &CredentialsArgs, is_json: bool) -> anyhow::Result<()> {
    let path = format!("{}/credentials", path_of(&args.space)?);
    let edge_answer = api.send(Method::GET, &path, None).await?;
    let answer = ticket::follow(&edge_answer, "credentials").await?;
    let credentials: Credentials = answer
        .json()
        .await
        .map_err(reqwest::Error::without_url)
        .context("the gateway answers, but not with credentials")?;
    if is_json {
        return Ok(output::json(&credentials)?);
    }
    output::line(format!("address   {}", credentials.url))?;
    output::line(format!("username  {}", credentials.username))?;
    output::line(format!("password  {}", credentials.password))?;
    output::note("they are not shown again");
    Ok(())
}

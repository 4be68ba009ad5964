//! `spaceport contact`: where a wallet is told what happens to its spaces.

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Value, json};

use super::cell;
use crate::{
    client::{Api, ClientArgs},
    output,
};

const PATH: &str = "/v1/wallet/contact";

/// Which edge, as whom, and what to do.
#[derive(Debug, clap::Args)]
pub(crate) struct ContactArgs {
    #[command(flatten)]
    client: ClientArgs,
    #[command(subcommand)]
    command: ContactCommand,
}

#[derive(Debug, Subcommand)]
enum ContactCommand {
    /// Show where you are told.
    Show,
    /// Be told there from now on, and nowhere else. The secret of a webhook is shown once.
    Set(SetArgs),
    /// Be told nowhere.
    Remove,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct SetArgs {
    /// A URL that messages are posted to, signed as Standard Webhooks says.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// An address that is written to.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
}

/// Does what was asked for.
pub(crate) async fn run(args: ContactArgs, is_json: bool) -> anyhow::Result<()> {
    let api = Api::connect(&args.client).await?;
    let contact: Value = match args.command {
        ContactCommand::Show => api.get(PATH).await?,
        ContactCommand::Set(SetArgs { webhook, email }) => {
            let mut body = json!({});
            for (name, value) in [("webhook_url", webhook), ("email", email)] {
                if let Some(value) = value {
                    body[name] = value.into();
                }
            }
            api.read(api.send(Method::PUT, PATH, Some(&body)).await?).await?
        }
        ContactCommand::Remove => {
            api.send(Method::DELETE, PATH, None).await?;
            json!({ "webhook_url": null, "email": null })
        }
    };
    if is_json {
        return Ok(output::json(&contact)?);
    }
    for (name, field) in
        [("webhook", "webhook_url"), ("secret", "webhook_secret"), ("email", "email")]
    {
        let value = cell(&contact, field);
        if !value.is_empty() {
            output::line(format!("{name:<9}{value}"))?;
        }
    }
    Ok(())
}

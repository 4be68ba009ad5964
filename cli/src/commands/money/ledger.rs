//! `spaceport ledger`.

use serde_json::Value;

use super::{OfSpace, rows};
use crate::{client::Api, commands::spaces::path_of, output};

/// Shows where the money of a space came from and went, newest first.
pub(crate) async fn run(args: OfSpace, is_json: bool) -> anyhow::Result<()> {
    let path = format!("{}/ledger?limit=200", path_of(&args.space)?);
    let ledger: Value = Api::connect(&args.client).await?.get(&path).await?;
    if is_json {
        return Ok(output::json(&ledger)?);
    }
    Ok(output::table(&rows(&ledger["items"], &["at", "kind", "amount", "debit", "credit"]))?)
}

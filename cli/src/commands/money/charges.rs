//! `spaceport charges`.

use serde_json::Value;

use super::{OfSpace, cell, rows};
use crate::{client::Api, commands::spaces::path_of, output};

/// The columns of a bill.
pub(super) const LINE: [&str; 5] = ["meter", "used_month", "shown", "unit_price", "amount"];

/// Shows what the running month comes to so far.
pub(crate) async fn run(args: OfSpace, is_json: bool) -> anyhow::Result<()> {
    let path = format!("{}/charges", path_of(&args.space)?);
    let charges: Value = Api::connect(&args.client).await?.get(&path).await?;
    if is_json {
        return Ok(output::json(&charges)?);
    }
    output::table(&rows(&charges["lines"], &LINE))?;
    output::line(format!(
        "total {} USD, owed {} USD",
        cell(&charges, "total"),
        cell(&charges, "owed")
    ))?;
    Ok(())
}

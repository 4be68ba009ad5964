//! `spaceport invoices`.

use serde_json::Value;

use super::{OfSpace, cell, charges::LINE, rows};
use crate::{client::Api, commands::spaces::path_of, output};

/// Which invoices.
#[derive(Debug, clap::Args)]
pub(crate) struct InvoicesArgs {
    #[command(flatten)]
    of: OfSpace,
    /// The one of this month, such as 2026-11, with its lines.
    month: Option<String>,
    /// As a page to be printed.
    #[arg(long, requires = "month", conflicts_with = "json")]
    html: bool,
}

/// Shows the invoices of a space, or one of them.
pub(crate) async fn run(args: InvoicesArgs, is_json: bool) -> anyhow::Result<()> {
    let path = format!("{}/invoices", path_of(&args.of.space)?);
    let api = Api::connect(&args.of.client).await?;
    let Some(month) = args.month else {
        let invoices: Value = api.get(&path).await?;
        if is_json {
            return Ok(output::json(&invoices)?);
        }
        let fields = ["id", "issued_at", "total", "paid", "due", "state"];
        return Ok(output::table(&rows(&invoices["items"], &fields))?);
    };
    let is_plain = month.bytes().all(|it| it.is_ascii_digit() || it == b'-');
    anyhow::ensure!(is_plain, "{month:?} is not a month, such as 2026-11");
    let path = format!("{path}/{month}");
    if args.html {
        return Ok(output::line(api.get_html(&path).await?.trim_end())?);
    }
    let invoice: Value = api.get(&path).await?;
    if is_json {
        return Ok(output::json(&invoice)?);
    }
    output::table(&rows(&invoice["lines"], &LINE))?;
    let [total, paid, state] = ["total", "paid", "state"].map(|it| cell(&invoice, it));
    output::line(format!("total {total} USD, paid {paid} USD: {state}"))?;
    Ok(())
}

//! `spaceport spaces list`.

use domain::Phase;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    client::{Api, ApiError, SpaceView},
    output,
};

/// The largest page that the edge gives.
const PAGE_LIMIT: u32 = 200;

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// Lists the living spaces of the wallet.
pub(super) async fn run(api: &Api, is_json: bool) -> anyhow::Result<()> {
    if is_json {
        let items: Vec<Value> = all(api).await?;
        return Ok(output::json(&json!({ "items": items, "next": null }))?);
    }
    let spaces: Vec<SpaceView> = all(api).await?;
    if spaces.is_empty() {
        output::note("you have no spaces: make one with spaceport spaces create");
        return Ok(());
    }
    for line in table(&spaces) {
        output::line(line)?;
    }
    Ok(())
}

/// The spaces of all pages.
async fn all<T: DeserializeOwned>(api: &Api) -> Result<Vec<T>, ApiError> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/spaces?limit={PAGE_LIMIT}{after}");
        let page: Page<T> = api.get(&path).await?;
        items.extend(page.items);
        let Some(next) = page.next else { return Ok(items) };
        after = format!("&after={next}");
    }
}

/// A line for each space under a line of headings, in columns.
fn table(spaces: &[SpaceView]) -> Vec<String> {
    let heading = ["NAME", "APP", "PHASE", "ADDRESS"].map(str::to_owned);
    let row = |it: &SpaceView| {
        let phase = match (&it.reason, it.phase) {
            (Some(reason), Phase::Failed) => format!("failed: {reason}"),
            (_, phase) => phase.as_str().to_owned(),
        };
        [it.name.clone(), it.app.clone(), phase, it.url.clone()]
    };
    let rows: Vec<[String; 4]> = std::iter::once(heading).chain(spaces.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|it| it[column].chars().count()).max();
    let [name, app, phase] = [0, 1, 2].map(|it| width(it).unwrap_or(0));
    let line = |it: &[String; 4]| {
        format!("{:<name$}  {:<app$}  {:<phase$}  {}", it[0], it[1], it[2], it[3])
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::space;

    #[test]
    fn columns_line_up() {
        let mut failed = space(Phase::Failed, Some("out of memory"));
        failed.name = "a-longer-name".to_owned();
        let got = table(&[space(Phase::Running, Some("ignored")), failed]).join("\n");
        let want = "\
NAME           APP    PHASE                  ADDRESS
garden         hello  running                http://garden.localhost:8080
a-longer-name  hello  failed: out of memory  http://garden.localhost:8080";
        assert_eq!(got, want);
    }
}

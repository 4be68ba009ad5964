//! `spaceport admin audit`.

use serde_json::Value;

use crate::{client::Api, output};

/// Shows what is not as it must be, a line each.
pub(super) async fn run(api: &Api, is_json: bool) -> anyhow::Result<()> {
    let audit: Value = api.get("/v1/admin/audit").await?;
    if is_json {
        output::json(&audit)?;
    } else {
        for line in findings(&audit) {
            output::line(line)?;
        }
    }
    let is_right = audit["ok"] == true;
    anyhow::ensure!(is_right, "something is not as it must be: see docs/OPERATING.md, \"Audit\"");
    if !is_json {
        output::line("everything is as it must be")?;
    }
    Ok(())
}

/// Every item of every list in it, after the name of the list.
fn findings(audit: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in audit.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) => lines.extend(items.iter().map(|it| shown(name, it))),
            Value::Object(_) => lines.extend(findings(value)),
            _ => {}
        }
    }
    lines
}

fn shown(name: &str, item: &Value) -> String {
    let name = name.replace('_', " ");
    item.as_str().map_or_else(|| format!("{name}: {item}"), |it| format!("{name}: {it}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_finding_is_a_line() {
        let audit = json!({ "ok": false, "orphans": ["space:a"], "hosts": { "strays": [
            { "space": "b" }], "silent": [] }, "books": { "balance": true, "bad_hours": ["c/0"] } });
        let want = ["bad hours: c/0", "strays: {\"space\":\"b\"}", "orphans: space:a"];
        assert_eq!(findings(&audit), want);
    }
}

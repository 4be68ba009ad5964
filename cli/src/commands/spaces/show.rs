//! `spaceport spaces show`.

use domain::StepState;
use serde_json::Value;

use super::path_of;
use crate::{
    client::{Api, SpaceView},
    output,
};

/// What to show.
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// Name or id of the space.
    space: String,
}

/// Shows the space.
pub(super) async fn run(api: &Api, args: &ShowArgs, is_json: bool) -> anyhow::Result<()> {
    let path = path_of(&args.space)?;
    if is_json {
        return Ok(output::json(&api.get::<Value>(&path).await?)?);
    }
    for line in lines(&api.get(&path).await?) {
        output::line(line)?;
    }
    Ok(())
}

fn lines(space: &SpaceView) -> Vec<String> {
    let mut lines = Vec::new();
    let mut field = |name: &str, value: &str| lines.push(format!("{name:<9}{value}"));
    field("name", &space.name);
    field("id", &space.id);
    field("title", &space.title);
    let version = space.version.as_deref().unwrap_or_default();
    field("app", format!("{} {version}", space.app).trim_end());
    if let Some(update) = &space.update {
        field("update", &update.version);
    }
    field("phase", space.phase.as_str());
    if let Some(reason) = &space.reason {
        field("reason", reason);
    }
    field("address", &space.url);
    field("host", &space.host);
    field("owner", &space.owner);
    field("created", &space.created_at.to_string());
    for step in &space.steps {
        let state = match step.state {
            StepState::Running => "running",
            StepState::Done => "done",
            StepState::Failed => "failed",
        };
        field("step", &format!("{:<24} {state}", step.name));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::space;
    use domain::{Phase, StepRecord};

    #[test]
    fn a_space_is_shown_field_by_field() {
        let mut space = space(Phase::Failed, Some("out of memory"));
        space.steps.push(StepRecord {
            name: "start-web".to_owned(),
            state: StepState::Failed,
            started_at: space.created_at,
            ended_at: None,
        });
        let want = "\
name     garden
id       spc_01ARYZ6S41ZZZZZZZZZZZZZZZZ
title    Garden
app      hello 1.0
update   1.1
phase    failed
reason   out of memory
address  http://garden.localhost:8080
host     local
owner    0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266
created  1970-01-01T00:00:00Z
step     start-web                failed";
        assert_eq!(lines(&space).join("\n"), want);
    }
}

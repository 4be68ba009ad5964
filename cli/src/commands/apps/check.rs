//! `spaceport apps check`: what is wrong with templates of apps.

use std::path::PathBuf;

use anyhow::bail;
use apps::{Checked, ReadError, Template};
use serde_json::{Value, json};

use crate::output;

/// Which templates.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The folder of a template, or a folder of such folders.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Says how every template is, and fails if one is not right.
pub(super) fn run(args: &CheckArgs, is_json: bool) -> anyhow::Result<()> {
    let checked = apps::check_dir(&args.folder)?;
    let n_errors: usize =
        checked.iter().filter_map(|it| it.template.as_ref().err()).map(Vec::len).sum();
    if is_json {
        let templates: Vec<_> = checked.into_iter().map(view).collect();
        output::json(&json!({ "ok": n_errors == 0, "templates": templates }))?;
    } else {
        checked.into_iter().try_for_each(say)?;
    }
    match n_errors {
        0 => Ok(()),
        1 => bail!("one thing must be put right, see above"),
        n => bail!("{n} things must be put right, see above"),
    }
}

/// One line for each error, or one for the template.
fn say(checked: Checked) -> anyhow::Result<()> {
    match checked.template {
        Err(errors) => errors.into_iter().for_each(|it| output::note(line(it))),
        Ok(template) => {
            for warning in template.warnings() {
                output::note(format!("warning: {}/{warning}", checked.folder.display()));
            }
            let Template { id, release, services, .. } = &template;
            let n_services = match services.len() {
                1 => "1 service".to_owned(),
                n => format!("{n} services"),
            };
            let memory_mib = template.memory_mib();
            output::line(format!("{id}: ok ({n_services}, {memory_mib} MiB, release {release})"))?;
        }
    }
    Ok(())
}

fn line(error: ReadError) -> String {
    output::one_line(&anyhow::Error::new(error))
}

fn view(checked: Checked) -> Value {
    let folder = checked.folder.display().to_string();
    match checked.template {
        Ok(template) => json!({
            "folder": folder,
            "ok": true,
            "id": template.id,
            "version": template.version,
            "release": template.release,
            "services": template.services.len(),
            "memory_mib": template.memory_mib(),
            "disk_mib": template.disk_mib,
            "warnings": template.warnings().iter().map(place).collect::<Vec<_>>(),
        }),
        Err(errors) => {
            let errors: Vec<_> = errors.into_iter().map(error_view).collect();
            json!({ "folder": folder, "ok": false, "errors": errors })
        }
    }
}

fn error_view(error: ReadError) -> Value {
    match error {
        ReadError::Template { error, .. } => place(&error),
        other => json!({ "message": line(other) }),
    }
}

/// An error, taken apart.
fn place(error: &apps::TemplateError) -> Value {
    json!({
        "file": error.file.to_string(),
        "line": error.line,
        "key": error.key,
        "message": error.rule.to_string(),
    })
}

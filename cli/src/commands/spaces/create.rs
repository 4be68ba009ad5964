//! `spaceport spaces create`.

use std::str::FromStr;

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::path_of;
use crate::{
    client::{Api, Goal, SpaceView, wait_for},
    output,
};

/// What to make.
#[derive(Debug, clap::Args)]
pub(super) struct CreateArgs {
    /// Its name, which is the first part of its address.
    name: String,
    /// The app it is an instance of.
    #[arg(long)]
    app: String,
    /// What people call it.
    #[arg(long)]
    title: Option<String>,
    /// A setting of the app. The value is read as JSON if it is JSON, else as text.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Setting>,
    /// Do not wait until it answers.
    #[arg(long)]
    no_wait: bool,
}

/// One setting of an app.
#[derive(Clone, Debug, PartialEq)]
struct Setting {
    key: String,
    value: Value,
}

impl FromStr for Setting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or("give KEY=VALUE")?;
        if key.is_empty() {
            return Err("give KEY=VALUE");
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        Ok(Self { key: key.to_owned(), value })
    }
}

/// Makes the space.
pub(super) async fn run(api: &Api, args: CreateArgs, is_json: bool) -> anyhow::Result<()> {
    let space: Value =
        api.read(api.send(Method::POST, "/v1/spaces", Some(&body(&args))).await?).await?;
    let id = space["id"].as_str().unwrap_or_default();
    let path = path_of(id)?;
    if !args.no_wait {
        output::note(format!("making {} ({id})", args.name));
        wait_for(api, id, Goal::Running).await?;
    }
    if is_json {
        return Ok(output::json(&api.get::<Value>(&path).await?)?);
    }
    let space: SpaceView = api.get(&path).await?;
    let state = if args.no_wait { "is on its way to" } else { "is ready at" };
    Ok(output::line(format!("{} {state} {}/", space.name, space.url))?)
}

fn body(args: &CreateArgs) -> Value {
    let mut body = json!({ "name": args.name, "app": args.app });
    if let Some(title) = &args.title {
        body["title"] = title.as_str().into();
    }
    if !args.settings.is_empty() {
        let settings = args.settings.iter().map(|it| (it.key.clone(), it.value.clone()));
        body["settings"] = settings.collect::<Map<_, _>>().into();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_json_or_text() {
        #[rustfmt::skip]
        let rows = [
            ("colour=green",    Some(("colour", json!("green")))),
            ("size=3",          Some(("size",   json!(3)))),
            ("open=true",       Some(("open",   json!(true)))),
            ("size=\"3\"",      Some(("size",   json!("3")))),
            ("list=[1,2]",      Some(("list",   json!([1, 2])))),
            ("formula=a=b",     Some(("formula", json!("a=b")))),
            ("empty=",          Some(("empty",  json!("")))),
            ("=3",              None),
            ("size",            None),
        ];
        for (text, want) in rows {
            let got = text.parse::<Setting>().ok().map(|it| (it.key, it.value));
            assert_eq!(got, want.map(|(key, value)| (key.to_owned(), value)), "{text}");
        }
    }

    #[test]
    fn the_edge_is_told_what_was_given_and_no_more() {
        let mut args = CreateArgs {
            name: "garden".to_owned(),
            app: "hello".to_owned(),
            title: None,
            settings: Vec::new(),
            no_wait: false,
        };
        assert_eq!(body(&args), json!({ "name": "garden", "app": "hello" }));
        args.title = Some("Garden".to_owned());
        args.settings = vec!["size=3".parse().unwrap(), "colour=green".parse().unwrap()];
        let settings = json!({ "size": 3, "colour": "green" });
        let want =
            json!({ "name": "garden", "app": "hello", "title": "Garden", "settings": settings });
        assert_eq!(body(&args), want);
    }
}

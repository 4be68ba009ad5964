//! `spaceport spaces query`: what the meters and signals of a space on this machine say now.

use std::{fmt::Display, path::PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::builder::ValueParser;
use domain::Timestamp;
use serde_json::{Value, json};
use worker::{Period, Queries, QueryOptions, SignalValue, query_space};

use crate::{clock, output, state::State};

/// What is asked.
#[derive(Debug, clap::Args)]
pub(super) struct QueryArgs {
    /// Name or id of the space, which runs on this machine.
    space: String,
    /// One meter or signal; all if none.
    name: Option<String>,
    /// Where everything is kept [default: ~/.local/state/spaceport].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Ask what the templates in this folder say, and not the release that the space is of.
    #[arg(long, value_name = "DIR")]
    apps: Option<PathBuf>,
    /// What meters count: from this time on [default: the beginning of this month, UTC].
    #[arg(long, value_name = "TIME", value_parser = ValueParser::new(time))]
    from: Option<Timestamp>,
    /// And before this one [default: now].
    #[arg(long, value_name = "TIME", value_parser = ValueParser::new(time))]
    to: Option<Timestamp>,
}

/// Asks, shows what comes, and fails if one of them does.
pub(super) async fn run(args: QueryArgs, is_json: bool) -> anyhow::Result<()> {
    let state = State::at(args.state)?;
    let folder = state.folder().display();
    let state_id =
        state.existing_id()?.with_context(|| format!("there is no state in {folder}"))?;
    let to = args.to.unwrap_or_else(clock::now);
    let from = args.from.unwrap_or_else(|| month_of(to));
    ensure!(from < to, "nothing is before {to} and from {from} on");
    let options = QueryOptions {
        state_dir: state.folder().to_owned(),
        state_id,
        apps_dir: args.apps,
        space: args.space,
        only: args.name.clone(),
        period: Period { from, to },
    };
    let Queries { meters, signals } = query_space(&options).await?;

    let mut values = Values { is_json, shown: serde_json::Map::new(), failure: None };
    for (name, (unit, value)) in meters {
        let value = value.map(|it| Said { text: format!("{it} {unit}"), value: json!(it) });
        let more = json!({ "unit": unit, "from": from, "to": to });
        values.take("meter", name, value, more)?;
    }
    for (name, value) in signals {
        let means = value.as_ref().map_or("", |it| match it {
            SignalValue::Due(_) => "due",
            SignalValue::Busy(_) => "busy",
        });
        values.take("signal", name, value.map(said), json!({ "means": means }))?;
    }
    values.end(args.name.as_deref())
}

/// A value, for people and for programs.
struct Said {
    text: String,
    value: Value,
}

/// What was asked, as it is shown.
struct Values {
    is_json: bool,
    /// For programs, all at the end.
    shown: serde_json::Map<String, Value>,
    /// The first that says nothing, and why.
    failure: Option<anyhow::Error>,
}

impl Values {
    fn take(
        &mut self,
        kind: &str,
        name: String,
        value: Result<Said, impl Into<anyhow::Error>>,
        mut more: Value,
    ) -> anyhow::Result<()> {
        match value {
            Ok(Said { text, value }) => {
                if !self.is_json {
                    output::line(line(kind, &name, text))?;
                }
                (more["kind"], more["value"]) = (json!(kind), value);
                self.shown.insert(name, more);
            }
            Err(error) => {
                let error = error.into().context(format!("the {kind} {name} says nothing"));
                self.failure.get_or_insert(error);
            }
        }
        Ok(())
    }

    fn end(mut self, only: Option<&str>) -> anyhow::Result<()> {
        if let Some(failure) = self.failure {
            if self.is_json && !self.shown.is_empty() {
                output::json(&self.shown)?;
            }
            return Err(failure);
        }
        if self.is_json {
            // Of one that was asked for by its name, what it says is all that is wanted.
            match only.and_then(|it| self.shown.remove(it)) {
                Some(value) => output::json(&value)?,
                None => output::json(&self.shown)?,
            }
        }
        Ok(())
    }
}

fn line(kind: &str, name: &str, text: impl Display) -> String {
    format!("{kind:<7} {name:<20} {text}")
}

fn said(value: SignalValue) -> Said {
    match value {
        SignalValue::Due(None) => Said { text: "nothing is due".to_owned(), value: Value::Null },
        SignalValue::Due(Some(at)) => Said { text: format!("due at {at}"), value: json!(at) },
        SignalValue::Busy(0) => Said { text: "not busy".to_owned(), value: json!(0) },
        SignalValue::Busy(n) => Said { text: format!("busy: {n}"), value: json!(n) },
    }
}

/// The beginning of the month that `at` is in, in UTC.
fn month_of(at: Timestamp) -> Timestamp {
    let text = at.to_string();
    let first = format!("{}-01T00:00:00Z", &text[..text.len().min(7)]);
    time(&first).unwrap_or(at)
}

fn time(text: &str) -> anyhow::Result<Timestamp> {
    match serde_json::from_value(json!(text)) {
        Ok(time) => Ok(time),
        Err(_) => bail!("a time is written like 2026-11-01T00:00:00Z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_with_its_first_moment_in_utc() {
        #[rustfmt::skip]
        let rows = [
            ("2026-11-25T12:34:56.789Z",   "2026-11-01T00:00:00Z"),
            ("2026-11-01T00:00:00Z",       "2026-11-01T00:00:00Z"),
            ("2026-10-31T23:59:59.999Z",   "2026-10-01T00:00:00Z"),
            ("2026-11-01T00:30:00+01:00",  "2026-10-01T00:00:00Z"),
        ];
        for (at, want) in rows {
            assert_eq!(month_of(time(at).unwrap()), time(want).unwrap(), "{at}");
        }
        for text in ["", "now", "2026-11-01", "2026-11-01 00:00:00", "1795000000"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_signal_says_is_shown_in_words_and_as_a_value() {
        let at = time("2026-11-25T12:00:00Z").unwrap();
        #[rustfmt::skip]
        let rows = [
            (SignalValue::Due(None),      "nothing is due",               json!(null)),
            (SignalValue::Due(Some(at)),  "due at 2026-11-25T12:00:00Z",  json!("2026-11-25T12:00:00Z")),
            (SignalValue::Busy(0),        "not busy",                     json!(0)),
            (SignalValue::Busy(3),        "busy: 3",                      json!(3)),
        ];
        for (value, text, json) in rows {
            let got = said(value);
            assert_eq!((got.text.as_str(), got.value), (text, json), "{value:?}");
        }
    }
}

//! What is filled in is data, whatever it is.

use std::collections::BTreeMap;

use apps::{RenderError, Template, expand_json, expand_text};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{APP, COMPOSE, app_toml::FULL, parse};

#[test]
fn what_is_filled_in_is_only_ever_data() {
    let template = parse(
        &COMPOSE.replace(
            "    depends_on: [db]\n",
            "    depends_on: [db]\n    command: [serve, '--name=${SPACE_NAME}', '$$HOME']\n",
        ),
        APP,
    )
    .unwrap();
    let titles = [
        "plain",
        "",
        "it's \"quoted\"",
        "two\nlines: {yaml: [1]}",
        "$(id) `id` ${SPACE_NAME} $$",
        "-- 'é' 😀",
    ];
    for title in titles {
        let values = [("SPACE_TITLE", title), ("SPACE_NAME", "garden")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let services = template.render(&BTreeMap::from(values)).unwrap();
        let web = &services[1];
        assert_eq!(web.environment, BTreeMap::from([("TITLE".to_owned(), title.to_owned())]));
        let command = ["serve", "--name=garden", "$HOME"];
        assert_eq!(web.command.as_deref().unwrap(), command);
    }
}

#[test]
fn a_value_that_is_missing_or_has_a_nul_is_an_error() {
    let template = parse(COMPOSE, APP).unwrap();
    let (service, variable) = ("web".to_owned(), "SPACE_TITLE".to_owned());
    let missing =
        RenderError::MissingValue { service: service.clone(), variable: variable.clone() };
    assert_eq!(template.render(&BTreeMap::new()), Err(missing));
    let values = BTreeMap::from([(variable.clone(), "a\0b".to_owned())]);
    assert_eq!(template.render(&values), Err(RenderError::Nul { service, variable }));
}

/// A template that uses variables wherever it may.
fn template() -> Template {
    let compose = COMPOSE.replace(
        "    depends_on: [db]\n",
        "    depends_on: [db]\n    command: [serve, '--name=${SPACE_NAME}', '${DB_PASSWORD}']\n",
    );
    let compose = compose.replace(
        "      TITLE: ${SPACE_TITLE}\n",
        "      TITLE: a ${SPACE_TITLE} b\n      SMTP: ${OPERATOR_SMTP_HOST:-none}\n",
    );
    parse(&compose, FULL).unwrap()
}

/// Any text that can be a value, with what means something to a shell, to YAML or to us more often.
fn any_value() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "\\PC{0,8}",
        Just("\n".to_owned()),
        Just("$(id)".to_owned()),
        Just("`id`".to_owned()),
        Just("${SPACE_NAME}".to_owned()),
        Just("$$".to_owned()),
        Just("\": {}, #".to_owned()),
        Just("' --privileged '".to_owned()),
        Just("\nPATH=/x".to_owned()),
        Just(": \n  privileged: true".to_owned()),
        any::<char>().prop_filter("a NUL", |it| *it != '\0').prop_map(String::from),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// The shape of JSON, with every string replaced by what is the same for all.
fn shape(json: &Value) -> Value {
    match json {
        Value::String(_) => Value::Null,
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, it)| (key.clone(), shape(it))).collect())
        }
        _ => json.clone(),
    }
}

proptest! {
    /// No value adds a key, an argument or a service, and each comes out as it went in.
    #[test]
    fn no_value_is_more_than_a_value(value in any_value()) {
        let template = template();
        let values: BTreeMap<_, _> =
            template.variables().into_iter().map(|it| (it, value.clone())).collect();
        let services = template.render(&values).unwrap();
        prop_assert_eq!(services.len(), 2);
        let (db, web) = (&services[0], &services[1]);
        prop_assert_eq!(db, &template.services[0]);
        let smtp = if value.is_empty() { "none" } else { &value };
        let environment = [("TITLE", format!("a {value} b")), ("SMTP", smtp.to_owned())];
        let environment = environment.map(|(name, it)| (name.to_owned(), it));
        prop_assert_eq!(&web.environment, &BTreeMap::from(environment));
        let command = ["serve".to_owned(), format!("--name={value}"), value.clone()];
        prop_assert_eq!(web.command.as_deref(), Some(command.as_slice()));
        prop_assert_eq!(&web.image, &template.services[1].image);

        let admin = template.first_admin.unwrap();
        let json = expand_json(&admin.create.json, &values).unwrap();
        prop_assert_eq!(shape(&json), shape(&admin.create.json));
        prop_assert_eq!(&json["tags"][0], &Value::String(value.clone()));
        prop_assert_eq!(expand_text(&admin.username, &values).unwrap(), format!("admin@{value}"));
    }

    /// Any file is read or refused, with errors of one line each.
    #[test]
    fn any_file_is_read_or_refused(compose in any_value(), app in any_value()) {
        for (compose, app) in [
            (compose.as_str(), APP),
            (COMPOSE, app.as_str()),
            (&format!("{COMPOSE}{compose}"), &format!("{APP}{app}")),
        ] {
            let Err(errors) = Template::check("notes", compose, app) else { continue };
            prop_assert!(!errors.is_empty());
            for error in errors {
                let line = error.to_string();
                prop_assert!(!line.contains('\n'), "{line:?}");
            }
        }
    }
}

#[test]
fn only_the_strings_of_json_are_filled_in() {
    let values = BTreeMap::from([("A".to_owned(), "\"}, {\"x\": 1".to_owned())]);
    let json = json!({ "${A}": ["${A}", 1, true, null, { "b": "a${A:-c}$$" }] });
    let want =
        json!({ "${A}": [values["A"], 1, true, null, { "b": format!("a{}$", values["A"]) }] });
    assert_eq!(expand_json(&json, &values).unwrap(), want);
    let missing = RenderError::MissingValue { service: String::new(), variable: "B".to_owned() };
    assert_eq!(expand_json(&json!(["${B}"]), &values), Err(missing.clone()));
    assert_eq!(expand_text("${B}", &values), Err(missing));
    assert!(matches!(expand_text("$A", &values), Err(RenderError::Malformed { .. })));
}

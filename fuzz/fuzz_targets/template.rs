//! Any two texts, with a line `===` between them, as the files of a template: every error is one
//! line and has a place in its file, and whatever is filled in is nothing but data.

#![no_main]

use std::collections::BTreeMap;

use apps::{Template, TemplateFile};
use libfuzzer_sys::fuzz_target;

/// Means something to a shell, to YAML and to a template.
const VALUE: &str = "$(id) '${SPACE_NAME}'\n  privileged: true\n\"";

fuzz_target!(|text: &str| {
    let (compose, app) = text.split_once("\n===\n").unwrap_or((text, ""));
    let template = match Template::check("notes", compose, app) {
        Ok(template) => template,
        Err(errors) => {
            assert!(!errors.is_empty(), "{text:?}");
            for error in errors {
                let file = if error.file == TemplateFile::App { app } else { compose };
                let n_lines = file.split('\n').count() as u64;
                let line = error.line.unwrap_or(1);
                // What is missing at the end of a file is missing behind its last line.
                assert!((1..=n_lines + 1).contains(&line), "{error} {text:?}");
                assert!(!error.to_string().contains('\n'), "{error} {text:?}");
            }
            return;
        }
    };
    let values: BTreeMap<_, _> =
        template.variables().into_iter().map(|it| (it, VALUE.to_owned())).collect();
    let services = template.render(&values).unwrap();
    assert_eq!(services.len(), template.services.len(), "{text:?}");
    for (service, written) in services.iter().zip(&template.services) {
        assert!(service.environment.keys().eq(written.environment.keys()), "{text:?}");
        let n_arguments = |it: &Option<Vec<String>>| it.as_ref().map(Vec::len);
        assert_eq!(n_arguments(&service.command), n_arguments(&written.command), "{text:?}");
        let same = apps::Service {
            environment: written.environment.clone(),
            command: written.command.clone(),
            ..service.clone()
        };
        assert_eq!(same, *written, "{text:?}");
    }
});

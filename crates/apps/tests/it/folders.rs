//! Folders of templates, and what neighbours say about each other.

use std::{fs, path::Path};

use apps::{Checked, ReadError, Template, check_dir};

use crate::{APP, COMPOSE, shared, with};

const STACK: &str = "title = 'Postgres'\ndescription = 'One.'\nversion = '1'\nkind = 'shared'\n\
                     ready = { timeout_seconds = 60 }\ndisk = { mib = 1 }\n";
const STACK_COMPOSE: &str = "services: {db: {image: 'db:1', mem_limit: 64m}}\n";

fn write(folder: &Path, id: &str, compose: &str, app: &str) {
    let folder = folder.join(id);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("compose.yaml"), compose).unwrap();
    fs::write(folder.join("app.toml"), app).unwrap();
}

/// What is said about each, without the folder's own path.
fn said(folder: &Path, of: &Path) -> Vec<String> {
    let lines = |it: Checked| match it.template {
        Ok(template) => vec![format!("{}: ok", template.id)],
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    };
    let prefix = format!("{}/", folder.display());
    let said = check_dir(of).unwrap().into_iter().flat_map(lines);
    said.map(|it| it.strip_prefix(&prefix).unwrap_or(&it).to_owned()).collect()
}

#[test]
fn the_templates_of_this_repository_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../apps");
    let templates = apps::read_dir(&folder).unwrap();
    let ids: Vec<_> = templates.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["hello", "notes", "postiz", "postiz-services", "postiz-shared"]);
    for template in templates {
        let values = template.variables().into_iter().map(|it| (it, "x".to_owned()));
        assert_eq!(template.render(&values.collect()).unwrap().len(), template.services.len());
    }
}

#[test]
fn a_folder_is_read_or_the_file_that_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let app = |id: &str, compose: &str| {
        let app = folder.path().join(id);
        fs::create_dir_all(&app).unwrap();
        fs::write(app.join("app.toml"), APP).unwrap();
        fs::write(app.join("compose.yaml"), compose).unwrap();
    };
    // Not a template: no app.toml.
    fs::create_dir(folder.path().join("pictures")).unwrap();
    fs::write(folder.path().join("README.md"), "").unwrap();
    app("b", COMPOSE);
    app("a", COMPOSE);
    let ids = |it: Vec<Template>| it.into_iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids(apps::read_dir(folder.path()).unwrap()), ["a", "b"]);

    app("c", &COMPOSE.replace("mem_limit: 1g", "mem_limit: 1g\n    privileged: true"));
    let error = apps::read_dir(folder.path()).unwrap_err().to_string();
    assert!(error.contains("/c/compose.yaml:11: services.db.privileged: not supported"), "{error}");

    fs::remove_file(folder.path().join("c/compose.yaml")).unwrap();
    let error = apps::read_dir(folder.path()).unwrap_err();
    assert!(matches!(&error, ReadError::Io { path, .. } if path.ends_with("c/compose.yaml")));

    fs::remove_dir_all(folder.path().join("c")).unwrap();
    app("C_3", COMPOSE);
    let error = apps::read_dir(folder.path()).unwrap_err();
    assert!(matches!(error, ReadError::BadId { .. }), "{error}");
}

#[test]
fn the_example_that_authors_read_is_right() {
    let readme = include_str!("../../../../apps/README.md");
    let block = |kind: &str| {
        let (_, after) = readme.split_once(&format!("```{kind}\n")).unwrap();
        after.split_once("```").unwrap().0.replace("@sha256:…", "").replace("\n   ", "\n")
    };
    let compose = block("yaml").trim_start().to_owned();
    let template = Template::parse("example", &compose, &block("toml")).unwrap();
    assert_eq!((template.services.len(), template.memory_mib()), (2, 384));
}

#[test]
fn all_that_is_wrong_in_a_folder_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let all = folder.path();
    assert!(matches!(check_dir(all), Err(ReadError::Empty { .. })));
    assert!(matches!(check_dir(&all.join("none")), Err(ReadError::Io { .. })));

    write(all, "good", COMPOSE, APP);
    write(all, "bad", &with(COMPOSE, "example/db:1", "a b"), &with(APP, "\"Notes\"", "\"\""));
    fs::create_dir(all.join("half")).unwrap();
    fs::write(all.join("half/app.toml"), APP).unwrap();
    let image = "bad/compose.yaml:9: services.db.image: must be the reference of an image, without \
                 variables: name:tag or name@sha256:digest";
    let title = "bad/app.toml:1: title: must be a sentence, not nothing";
    let said_of_bad = [image, title];
    let all_said = [image, title, "good: ok"];
    let mut found = said(all, all);
    let half = found.pop().unwrap();
    assert_eq!(found, all_said);
    assert!(half.ends_with("half/compose.yaml"), "{half}");
    // One of them.
    assert_eq!(said(all, &all.join("bad")), said_of_bad);
    assert_eq!(said(all, &all.join("good")), ["good: ok"]);
}

#[test]
fn services_of_the_host_are_those_of_a_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    let all = folder.path();
    let check = |want: &str| {
        assert_eq!(said(all, &all.join("notes")), [want]);
        let found = said(all, all);
        assert!(found.contains(&want.to_owned()), "{found:?}");
        let read = apps::read_dir(all).map_err(|it| it.to_string());
        assert_eq!(read.is_ok(), want.ends_with(": ok"), "{read:?}");
    };
    write(all, "notes", shared::APP_COMPOSE, shared::APP);
    check("notes/app.toml:17: shared.stack: there is no template notes-services");
    write(all, "notes-services", COMPOSE, APP);
    check("notes/app.toml:17: shared.stack: must be a template of kind shared");
    write(all, "notes-services", &STACK_COMPOSE.replace("db:", "cache:"), STACK);
    check("notes/app.toml:18: shared.services.postgres: there is no service db");
    let alike = STACK_COMPOSE.replace("{db", "{web: {image: 'a:1', mem_limit: 64m}, db");
    write(all, "notes-services", &alike, STACK);
    check("notes/compose.yaml:2: services.web: notes-services has a service of this name, too");
    write(all, "notes-services", STACK_COMPOSE, STACK);
    check("notes: ok");
    // What is wrong with the neighbour is said of the neighbour.
    write(all, "notes-services", "services: {}\n", STACK);
    assert_eq!(said(all, &all.join("notes")), ["notes: ok"]);
    assert_eq!(
        said(all, all),
        ["notes: ok", "notes-services/compose.yaml:1: services: has no service"]
    );
}

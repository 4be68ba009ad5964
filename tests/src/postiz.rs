//! Postiz's templates as they are, with images that are here in place of the real ones.

use std::{
    fs,
    path::{Path, PathBuf},
};

use http::Method;
use serde_json::Value;

use crate::{
    client::{Answer, Client},
    docker::{Object, docker},
    process::Output,
    repository,
};

/// The templates.
const APPS: [&str; 3] = ["postiz", "postiz-shared", "postiz-services"];

/// The repository of each image, and what stands in for it: see `tests/images`.
const STAND_INS: [(&str, &str); 4] = [
    ("ghcr.io/gitroomhq/postiz-app", "spaceport-test/postiz:1"),
    ("postgres", "spaceport-test/postgres:15"),
    ("redis", "spaceport-test/redis:7"),
    ("temporalio/auto-setup", "spaceport-test/temporal:1"),
];

/// The templates in a folder of the test.
#[derive(Debug)]
pub struct PostizApps(PathBuf);

impl PostizApps {
    /// Copies them to `folder`, where nothing but the images is another. Each image must be pinned.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let apps = Self(folder.join("apps"));
        for app in APPS {
            let (from, to) = (repository().join("apps").join(app), apps.0.join(app));
            fs::create_dir_all(&to).unwrap();
            fs::copy(from.join("app.toml"), to.join("app.toml")).unwrap();
            let compose = fs::read_to_string(from.join("compose.yaml")).unwrap();
            fs::write(to.join("compose.yaml"), with_stand_ins(&compose)).unwrap();
        }
        apps
    }

    /// Where they are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Puts `new` in the place of `old`, which is there once, in a file such as `postiz/app.toml`.
    pub fn change(&self, file: &str, old: &str, new: &str) {
        let path = self.0.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(old).count(), 1, "{old} in {file}");
        fs::write(path, text.replace(old, new)).unwrap();
    }

    /// Sets what the operator may set for all spaces of `app`, as lines of `NAME=value`.
    pub fn set_operator_values(&self, app: &str, lines: &str) {
        fs::write(self.0.join(app).join("operator.env"), lines).unwrap();
    }
}

fn with_stand_ins(compose: &str) -> String {
    let replace = |line: &str| match line.split_once("image: ") {
        None => format!("{line}\n"),
        Some((indent, image)) => format!("{indent}image: {}\n", stand_in(image)),
    };
    compose.lines().map(replace).collect()
}

fn stand_in(image: &str) -> &'static str {
    let (reference, digest) = image.split_once("@sha256:").unwrap_or((image, ""));
    let is_digest = digest.len() == 64 && digest.bytes().all(|it| it.is_ascii_hexdigit());
    assert!(is_digest, "{image} has no digest");
    let (repository, _) = reference.rsplit_once(':').unwrap();
    let found = STAND_INS.iter().find(|it| it.0 == repository);
    found.unwrap_or_else(|| panic!("nothing stands in for {image}")).1
}

/// A container by what it is of, such as `spaceport.space=spc-01…`, and its service.
#[must_use]
pub fn service(label: &str, service: &str) -> Object {
    let found = Object::labelled(label).into_iter();
    let mut found = found.filter(|it| it.label("spaceport.service") == service);
    found.next().unwrap_or_else(|| panic!("no service {service} of {label}"))
}

/// What a service of Docker's says to `command`.
#[must_use]
pub fn exec(container: &Object, command: &[&str]) -> Output {
    let mut arguments = vec!["exec", container.name()];
    arguments.extend(command);
    docker(&arguments)
}

/// What a database answers from inside its container, which must be no error: lines of `a|b`.
#[expect(clippy::must_use_candidate, reason = "most callers only write rows")]
pub fn psql(container: &Object, user: &str, database: &str, sql: &str) -> String {
    let options = ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-U", user, "-d", database, "-c", sql];
    let output = exec(container, &options);
    assert_eq!(output.code, Some(0), "{sql}: {output:?}");
    output.stdout.trim_end().to_owned()
}

/// POSTs `body` as JSON to `path` of the space that the gateway knows as `name`.
#[must_use]
pub fn post_to_space(gateway: &str, name: &str, path: &str, body: &Value) -> Answer {
    let gateway = Client::new(gateway);
    let request = gateway.request(Method::POST, path).header("host", format!("{name}.localhost"));
    let request = request.header("content-type", "application/json");
    gateway.send(request, Some(body.to_string().into_bytes()))
}

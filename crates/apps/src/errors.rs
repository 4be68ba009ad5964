//! All that is wrong with a template, as it is found.

use crate::{Rule, TemplateError, TemplateFile, lines::Lines};

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<TemplateError>);

impl Errors {
    /// A broken rule of `compose.yaml`.
    pub(crate) fn compose(&mut self, key: impl Into<String>, rule: Rule) {
        self.add(TemplateFile::Compose, key, rule);
    }

    /// A broken rule of `app.toml`.
    pub(crate) fn app(&mut self, key: impl Into<String>, rule: Rule) {
        self.add(TemplateFile::App, key, rule);
    }

    /// A broken rule of `app.toml`, if it is broken.
    pub(crate) fn check(&mut self, is_right: bool, key: impl Into<String>, range: &'static str) {
        if !is_right {
            self.app(key, Rule::OutOfRange(range));
        }
    }

    /// A broken rule, with its line.
    pub(crate) fn at(&mut self, line: Option<u64>, file: TemplateFile, key: &str, rule: Rule) {
        self.0.push(TemplateError { file, line, key: key.to_owned(), rule });
    }

    fn add(&mut self, file: TemplateFile, key: impl Into<String>, rule: Rule) {
        self.0.push(TemplateError { file, line: None, key: key.into(), rule });
    }

    /// Whether `key`, something in it or what it is in is wrong. What follows from that is no news.
    pub(crate) fn is_broken(&self, file: TemplateFile, key: &str) -> bool {
        let is_in = |inner: &str, outer: &str| {
            outer.is_empty()
                || inner
                    .strip_prefix(outer)
                    .is_some_and(|it| it.is_empty() || it.starts_with(['.', '[']))
        };
        self.0.iter().any(|it| it.file == file && (is_in(key, &it.key) || is_in(&it.key, key)))
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was found, each with its line: the compose file first, and from top to bottom.
    pub(crate) fn finish(self, compose_yaml: &str, app_toml: &str) -> Vec<TemplateError> {
        let mut errors = self.0;
        if errors.is_empty() {
            return errors;
        }
        let (compose, app) = (Lines::of_yaml(compose_yaml), Lines::of_toml(app_toml));
        for error in &mut errors {
            let lines = match error.file {
                TemplateFile::Compose => &compose,
                TemplateFile::App => &app,
            };
            error.line.get_or_insert_with(|| lines.at(&error.key));
        }
        errors.sort_by_key(|it| (it.file == TemplateFile::App, it.line));
        errors
    }
}

//! Reads a folder of app templates.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Template, TemplateError, siblings};

/// Why a folder of app templates could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A folder or file could not be read.
    #[error("could not read {}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A template is not right. One line: folder, file, line, key and what is wrong with it.
    #[error("{}/{error}", folder.display())]
    Template {
        /// The template's folder.
        folder: PathBuf,
        /// What is wrong.
        error: TemplateError,
    },
    /// The folder's name can't be the id of an app.
    #[error("{}: an app's folder has a-z, 0-9 and '-' in its name and begins with a letter", folder.display())]
    BadId {
        /// The template's folder.
        folder: PathBuf,
    },
    /// There is nothing to read.
    #[error("{}: there is no app template", folder.display())]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
}

/// A folder of a template, and what was found there.
#[derive(Debug)]
pub struct Checked {
    /// The template's folder.
    pub folder: PathBuf,
    /// The template, or all that is wrong with it. Never no error.
    pub template: Result<Template, Vec<ReadError>>,
}

/// Reads every folder in `folder` that has an `app.toml`, sorted by id.
///
/// # Errors
/// [`ReadError`] for the first template that can't be read.
pub fn read_dir(folder: &Path) -> Result<Vec<Template>, ReadError> {
    let templates = all(folder)?.into_iter();
    templates.map(|it| it.template.map_err(|mut errors| errors.swap_remove(0))).collect()
}

/// Says all that is wrong with the template in `folder`, or with every template in a folder of `folder`.
/// A template's neighbours count: they may be what it shares.
///
/// # Errors
/// [`ReadError`] if there is no template, or a folder can't be read.
pub fn check_dir(folder: &Path) -> Result<Vec<Checked>, ReadError> {
    let is_one = ["app.toml", "compose.yaml"].iter().any(|it| folder.join(it).exists());
    if !is_one {
        let checked = all(folder)?;
        if checked.is_empty() {
            return Err(ReadError::Empty { folder: folder.to_owned() });
        }
        return Ok(checked);
    }
    // The name of `.` is not in it, and neither is what is beside it.
    let whole = folder.canonicalize().map_err(at(folder))?;
    let mut checked = Checked { template: read(folder, &whole), folder: folder.to_owned() };
    let beside = |id: &str| {
        let other = whole.parent()?.join(id);
        other.join("app.toml").exists().then(|| read(&other, &other).ok())
    };
    if let Ok(template) = &checked.template {
        let other = template.shared.as_ref().and_then(|it| beside(&it.stack));
        let errors = siblings::check(template, |_| other.as_ref().map(Option::as_ref));
        checked.add(errors);
    }
    Ok(vec![checked])
}

impl Checked {
    fn add(&mut self, errors: Vec<TemplateError>) {
        let folder = &self.folder;
        let error = |error| ReadError::Template { folder: folder.clone(), error };
        if !errors.is_empty() {
            self.template = Err(errors.into_iter().map(error).collect());
        }
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ReadError {
    |cause| ReadError::Io { path: path.to_owned(), cause }
}

/// Every folder with an `app.toml`, by name.
fn all(folder: &Path) -> Result<Vec<Checked>, ReadError> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let folder = entry.map_err(at(folder))?.path();
        if folder.join("app.toml").exists() {
            all.push(Checked { template: read(&folder, &folder), folder });
        }
    }
    all.sort_by(|a, b| a.folder.cmp(&b.folder));
    let find = |id: &str| {
        let other = all.iter().find(|it| it.folder.file_name().is_some_and(|it| it == id))?;
        Some(other.template.as_ref().ok())
    };
    let errors = all.iter().map(|it| match &it.template {
        Ok(template) => siblings::check(template, find),
        Err(_) => Vec::new(),
    });
    let errors: Vec<_> = errors.collect();
    for (checked, errors) in all.iter_mut().zip(errors) {
        checked.add(errors);
    }
    Ok(all)
}

/// The template in `folder`, which is `whole` with a name.
fn read(folder: &Path, whole: &Path) -> Result<Template, Vec<ReadError>> {
    let file = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|cause| ReadError::Io { path, cause })
    };
    let id = whole.file_name().and_then(|it| it.to_str()).filter(|it| is_id(it));
    let (compose_yaml, app_toml) = match (file("compose.yaml"), file("app.toml")) {
        (Ok(compose_yaml), Ok(app_toml)) => (compose_yaml, app_toml),
        (compose_yaml, app_toml) => {
            return Err([compose_yaml, app_toml].into_iter().filter_map(Result::err).collect());
        }
    };
    let Some(id) = id else { return Err(vec![ReadError::BadId { folder: folder.to_owned() }]) };
    let error = |error| ReadError::Template { folder: folder.to_owned(), error };
    Template::check(id, &compose_yaml, &app_toml)
        .map_err(|errors| errors.into_iter().map(error).collect())
}

/// The id is a part of URLs and of Docker's names.
pub(crate) fn is_id(name: &str) -> bool {
    name.starts_with(|it: char| it.is_ascii_lowercase())
        && name.chars().all(|it| matches!(it, 'a'..='z' | '0'..='9' | '-'))
        && name.len() <= 40
}

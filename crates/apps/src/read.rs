//! Reads a folder of app templates.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Template, TemplateError};

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
}

/// Reads every folder in `folder` that has an `app.toml`, sorted by id.
///
/// # Errors
/// [`ReadError`] for the first template that can't be read.
pub fn read_dir(folder: &Path) -> Result<Vec<Template>, ReadError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |cause| ReadError::Io { path, cause }
    };
    let mut templates = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path.join("app.toml").exists() {
            templates.push(read(path)?);
        }
    }
    templates.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(templates)
}

fn read(folder: PathBuf) -> Result<Template, ReadError> {
    let file = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|cause| ReadError::Io { path, cause })
    };
    let id = folder.file_name().and_then(|it| it.to_str()).filter(|it| is_id(it));
    let Some(id) = id else { return Err(ReadError::BadId { folder }) };
    let (compose_yaml, app_toml) = (file("compose.yaml")?, file("app.toml")?);
    Template::parse(id, &compose_yaml, &app_toml)
        .map_err(|error| ReadError::Template { folder: folder.clone(), error })
}

/// The id is a part of URLs and of Docker's names.
fn is_id(name: &str) -> bool {
    name.starts_with(|it: char| it.is_ascii_lowercase())
        && name.chars().all(|it| matches!(it, 'a'..='z' | '0'..='9' | '-'))
        && name.len() <= 40
}

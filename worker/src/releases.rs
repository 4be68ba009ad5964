//! The releases of apps that this host can run: the current ones, and earlier ones that spaces
//! still run, kept as `<app>/<release>/` so that they outlive a change of the templates' folder.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use apps::Template;

use crate::files::{sync_folder, write_durably};

/// All releases, by app.
#[derive(Clone, Debug, Default)]
pub(crate) struct Releases(BTreeMap<String, App>);

#[derive(Clone, Debug, Default)]
struct App {
    /// The release that new spaces get; `None` for an app that is not offered any more.
    current: Option<String>,
    all: BTreeMap<String, Template>,
}

impl Releases {
    /// The releases of `current` templates, which are kept in `folder`, and those kept there before.
    ///
    /// # Errors
    /// The path that could not be used, and why.
    pub(crate) fn open(
        folder: &Path,
        current: Vec<Template>,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let mut releases = Self::read(folder).map_err(|it| (folder.to_owned(), it))?;
        for template in current {
            let kept = folder.join(&template.id).join(&template.release);
            keep(&kept, &template).map_err(|it| (kept, it))?;
            releases.add(template);
        }
        Ok(releases)
    }

    /// The release `release` of `app`; the current one if it is empty.
    pub(crate) fn get(&self, app: &str, release: &str) -> Option<&Template> {
        let app = self.0.get(app)?;
        let release = if release.is_empty() { app.current.as_deref()? } else { release };
        app.all.get(release)
    }

    /// The template of this release, of whichever app.
    pub(crate) fn find(&self, release: &str) -> Option<&Template> {
        self.0.values().find_map(|it| it.all.get(release))
    }

    /// The current release of every app that is offered.
    pub(crate) fn current(&self) -> impl Iterator<Item = &Template> {
        self.0.values().filter_map(|it| it.all.get(it.current.as_ref()?))
    }

    fn add(&mut self, template: Template) {
        let app = self.0.entry(template.id.clone()).or_default();
        app.current = Some(template.release.clone());
        app.all.insert(template.release.clone(), template);
    }

    /// What was kept in `folder`. What can't be read any more is left alone: a space of it can be
    /// stopped and removed, and whatever runs of it runs on.
    fn read(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut releases = Self::default();
        for app in fs::read_dir(folder)? {
            let app = app?;
            let id = app.file_name().to_string_lossy().into_owned();
            for release in fs::read_dir(app.path())? {
                let path = release?.path();
                match template(&id, &path) {
                    Some(template) if path.ends_with(&template.release) => {
                        let app = releases.0.entry(id.clone()).or_default();
                        app.all.insert(template.release.clone(), template);
                    }
                    _ => tracing::warn!(path = %path.display(), "not a release any more"),
                }
            }
        }
        Ok(releases)
    }
}

fn template(id: &str, folder: &Path) -> Option<Template> {
    let read = |name| fs::read_to_string(folder.join(name)).ok();
    Template::parse(id, &read("compose.yaml")?, &read("app.toml")?).ok()
}

/// Writes `template` to `folder`, unless it is there. What a crash leaves of it is no release, and is
/// written anew.
fn keep(folder: &Path, template: &Template) -> io::Result<()> {
    let is_kept = |it: Template| it.release == template.release;
    if self::template(&template.id, folder).is_some_and(is_kept) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    write_durably(&folder.join("compose.yaml"), template.source.compose_yaml.as_bytes())?;
    write_durably(&folder.join("app.toml"), template.source.app_toml.as_bytes())?;
    folder.parent().map_or(Ok(()), sync_folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPOSE: &str = "services: {web: {image: 'app:1', mem_limit: 16m}}";

    fn app(version: &str) -> Template {
        let app = format!(
            "title = 'A'\ndescription = 'B.'\nversion = '{version}'\n\
             web = {{ service = 'web', port = 80 }}\n\
             ready = {{ path = '/', timeout_seconds = 5 }}\ndisk = {{ mib = 1 }}\n"
        );
        Template::parse("notes", COMPOSE, &app).unwrap()
    }

    fn version<'a>(releases: &'a Releases, release: &str) -> Option<&'a str> {
        releases.get("notes", release).map(|it| it.version.as_str())
    }

    #[test]
    fn an_earlier_release_is_there_after_the_template_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (app("1"), app("2"));
        let releases = Releases::open(folder.path(), vec![one.clone()]).unwrap();
        assert_eq!(version(&releases, ""), Some("1"));

        let releases = Releases::open(folder.path(), vec![two.clone()]).unwrap();
        assert_eq!(version(&releases, ""), Some("2"));
        assert_eq!(version(&releases, &one.release), Some("1"));
        assert_eq!(version(&releases, &two.release), Some("2"));
        assert_eq!(version(&releases, "none"), None);
        let offered: Vec<_> = releases.current().map(|it| it.version.as_str()).collect();
        assert_eq!(offered, ["2"]);

        // An app that is not offered any more still runs where it is.
        let releases = Releases::open(folder.path(), Vec::new()).unwrap();
        assert_eq!(version(&releases, ""), None);
        assert_eq!(version(&releases, &two.release), Some("2"));
        assert_eq!(releases.current().count(), 0);
    }

    #[test]
    fn what_was_changed_behind_our_back_is_no_release() {
        let folder = tempfile::tempdir().unwrap();
        let one = app("1");
        Releases::open(folder.path(), vec![one.clone()]).unwrap();
        let kept = folder.path().join("notes").join(&one.release).join("app.toml");
        fs::write(kept, app("2").source.app_toml).unwrap();
        let releases = Releases::open(folder.path(), Vec::new()).unwrap();
        assert_eq!(version(&releases, &one.release), None);
    }
}

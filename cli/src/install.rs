//! Where the product's own files are: `spin.toml`, `runtime-config.toml`, `dist/`, `apps/`.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::environment;

/// The folder of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installation(PathBuf);

impl Installation {
    /// Finds it: where `SPACEPORT_HOME` says, else above the program, else above the current
    /// folder.
    ///
    /// # Errors
    /// If it is in none of them.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let program = env::current_exe().ok();
        let current = env::current_dir().ok();
        Self::find_from(environment::home_of_installation(), program.as_deref(), current.as_deref())
    }

    fn find_from(
        home: Option<PathBuf>,
        program: Option<&Path>,
        current: Option<&Path>,
    ) -> anyhow::Result<Self> {
        if let Some(home) = home {
            if !holds_manifest(&home) {
                bail!("SPACEPORT_HOME is {}, which has no spin.toml", home.display());
            }
            return Ok(Self(home));
        }
        let mut above = program.into_iter().chain(current).flat_map(Path::ancestors);
        let found = above.find(|it| holds_manifest(it)).map(|it| Self(it.to_owned()));
        found.context(
            "there is no spin.toml here or above: run this in the folder of the installation, or \
             set SPACEPORT_HOME to it",
        )
    }

    /// The manifest of the edge.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.0.join("spin.toml")
    }

    /// The edge's runtime configuration, if there is one.
    pub(crate) fn runtime_config(&self) -> Option<PathBuf> {
        Some(self.0.join("runtime-config.toml")).filter(|it| it.is_file())
    }

    /// The folder of the app templates.
    pub(crate) fn apps(&self) -> PathBuf {
        self.0.join("apps")
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.0
    }
}

fn holds_manifest(folder: &Path) -> bool {
    folder.join("spin.toml").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_installation_is_found_in_this_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "program/bin", "current/inner", "nothing"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        for name in ["home", "program", "current"] {
            fs::write(folder.path().join(name).join("spin.toml"), "").unwrap();
        }
        let at = |name: &str| folder.path().join(name);
        #[rustfmt::skip]
        let rows = [
            // SPACEPORT_HOME, program,               current folder,  want
            (Some("home"),     "program/bin/program", "current",       Some("home")),
            (Some("nothing"),  "program/bin/program", "current",       None),
            (None,             "program/bin/program", "current",       Some("program")),
            (None,             "nothing/program",     "current/inner", Some("current")),
            (None,             "nothing/program",     "nothing",       None),
        ];
        for (home, program, current, want) in rows {
            let got = Installation::find_from(home.map(at), Some(&at(program)), Some(&at(current)));
            let got = got.ok().map(|it| it.root().to_owned());
            assert_eq!(got, want.map(at), "{home:?} {program} {current}");
        }
    }
}

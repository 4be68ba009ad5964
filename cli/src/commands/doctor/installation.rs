//! Whether the product's own files are all there.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

use super::Finding;
use crate::install::Installation;

/// The part of `spin.toml` that says which files there must be.
#[derive(Deserialize)]
struct Manifest {
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
struct Component {
    source: String,
}

pub(super) fn look(installation: &Installation) -> Vec<Finding> {
    vec![components(installation.root(), &installation.manifest()), apps(&installation.apps())]
}

fn components(root: &Path, manifest: &Path) -> Finding {
    let shown = manifest.display();
    let text = match fs::read_to_string(manifest) {
        Ok(text) => text,
        Err(error) => {
            return Finding::fail(
                "components",
                format!("cannot read {shown}: {error}"),
                "restore it",
            );
        }
    };
    let components = match toml::from_str::<Manifest>(&text) {
        Ok(manifest) => manifest.component,
        Err(error) => {
            let message = format!("{shown} is not a manifest: {}", error.message());
            return Finding::fail("components", message, "restore it");
        }
    };
    let missing: Vec<&str> =
        components.values().map(|it| &*it.source).filter(|it| !root.join(it).is_file()).collect();
    if missing.is_empty() {
        let message = format!("{} components in {}", components.len(), root.display());
        return Finding::ok("components", message);
    }
    let message = format!("{} is not there", missing.join(", "));
    Finding::fail("components", message, "build with scripts/build")
}

fn apps(folder: &Path) -> Finding {
    match apps::read_dir(folder) {
        Ok(apps) if apps.is_empty() => {
            let message = format!("{} has no app template", folder.display());
            Finding::fail("apps", message, "restore it, or name another folder with --apps")
        }
        Ok(apps) => {
            let ids: Vec<&str> = apps.iter().map(|it| it.id.as_str()).collect();
            Finding::ok("apps", ids.join(", "))
        }
        Err(error) => {
            let error = crate::output::one_line(&anyhow::Error::new(error));
            Finding::fail("apps", error, "put the template right")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::Level;

    #[test]
    fn components_that_are_not_built_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("spin.toml");
        let look = || components(folder.path(), &manifest);
        assert_eq!(look().level, Level::Fail);
        fs::write(&manifest, "nonsense").unwrap();
        assert_eq!(look().level, Level::Fail);

        let text = "spin_manifest_version = 2\n[component.a]\nsource = 'a.wasm'\n\
                    [component.b]\nsource = 'dist/b.wasm'\n";
        fs::write(&manifest, text).unwrap();
        fs::write(folder.path().join("a.wasm"), "").unwrap();
        let finding = look();
        assert_eq!(finding.level, Level::Fail);
        assert_eq!(finding.message, "dist/b.wasm is not there");

        fs::create_dir(folder.path().join("dist")).unwrap();
        fs::write(folder.path().join("dist/b.wasm"), "").unwrap();
        assert_eq!(look().level, Level::Ok);
    }
}

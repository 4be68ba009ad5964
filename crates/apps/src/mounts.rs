//! What a service may write to: named volumes and memory file systems.

use crate::{
    Mount, Rule,
    errors::Errors,
    lists::Texts,
    text::{Judged, is_name},
};

/// A mounted volume: `name:/path` or `name:/path:ro`.
#[derive(Clone, Debug)]
struct MountText(Mount);

impl TryFrom<String> for MountText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.contains("docker.sock") || text.contains("containerd.sock") {
            return Err("a space may not reach the Docker Engine: that is the whole host");
        }
        let mut parts = text.split(':');
        let (Some(volume), Some(target)) = (parts.next(), parts.next()) else {
            return Err("a volume is written as name:/path or name:/path:ro");
        };
        if volume.contains(['/', '~', '.', '\\', '$']) {
            return Err("a space may not mount a path of the host; use a named volume");
        }
        let read_only = match (parts.next(), parts.next()) {
            (None | Some("rw"), None) => false,
            (Some("ro"), None) => true,
            _ => return Err("a volume has the options ro and rw only"),
        };
        if !is_name(volume) {
            return Err("a volume's name has a-z, 0-9, '-' and '_', and begins with a letter");
        }
        let target = absolute(target)?.to_owned();
        Ok(Self(Mount { volume: volume.to_owned(), target, read_only }))
    }
}

/// The mounts of a service. What is wrong is left out.
pub(crate) fn read(entries: Vec<Texts>, key: &str, errors: &mut Errors) -> Vec<Mount> {
    const LONG: &str = "a volume is written as name:/path, in one line: the long form can mount \
                        paths of the host";
    let mut mounts = Vec::new();
    for (at, entry) in entries.into_iter().enumerate() {
        let key = format!("{key}[{at}]");
        if let Texts::One(text) = entry {
            mounts.extend(Judged::<MountText>::of(text).take(&key, errors).map(|it| it.0));
        } else {
            errors.compose(key, Rule::Malformed(LONG.to_owned()));
        }
    }
    mounts
}

/// A memory file system: `/path` or `/path:options`.
#[derive(Clone, Debug)]
pub(crate) struct TmpfsText(pub(crate) String);

impl TryFrom<String> for TmpfsText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (path, options) = text.split_once(':').unwrap_or((&text, ""));
        absolute(path)?;
        let is_known = |it: &str| {
            it.split_once('=').is_some_and(|(key, value)| {
                ["size", "mode", "uid", "gid"].contains(&key)
                    && value.bytes().all(|it| it.is_ascii_alphanumeric())
            })
        };
        if !options.is_empty() && !options.split(',').all(is_known) {
            return Err("a tmpfs has the options size, mode, uid and gid only");
        }
        Ok(Self(text))
    }
}

fn absolute(path: &str) -> Result<&str, &'static str> {
    let is_plain = path.starts_with('/')
        && path != "/"
        && !path.split('/').any(|it| it == "..")
        && !path.contains(['\0', '$']);
    if is_plain { Ok(path) } else { Err("a path begins with '/', is not '/' and has no '..'") }
}

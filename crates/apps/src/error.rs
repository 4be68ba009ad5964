//! Why files are no template.

use std::fmt;

/// One of the two files of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateFile {
    /// `compose.yaml`.
    Compose,
    /// `app.toml`.
    App,
}

impl fmt::Display for TemplateFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compose => "compose.yaml",
            Self::App => "app.toml",
        })
    }
}

/// Why files are no template, in one line: `compose.yaml:12: services.db.privileged: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The file that has to change.
    pub file: TemplateFile,
    /// The line in it, from 1: of the key, or of what it should be in. `None` only where the library
    /// that reads the file names none.
    pub line: Option<u64>,
    /// The key, from the top of the file. Empty for the file as a whole.
    pub key: String,
    /// What is wrong with it.
    pub rule: Rule,
}

/// A rule that a template breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// The key is not in the subset.
    #[error("not supported{}{why}", if why.is_empty() { "" } else { ": " })]
    NotSupported {
        /// Why not, where there is more to say than that it is not needed.
        why: &'static str,
    },
    /// The file or the value has no form that could be read.
    #[error("{0}")]
    Malformed(String),
    /// The key has to be there.
    #[error("required")]
    Missing,
    /// The name is none of those that the template defines.
    #[error("there is no {kind} {name}")]
    Undefined {
        /// What was looked for: `service`, `volume`, `variable`, `database`, `secret` or `template`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// The variable is what a tenant wrote, and here a shell might read it.
    #[error("{0} is for environment only, since a command may be a shell's")]
    EnvironmentOnly(String),
    /// Services wait for each other in a circle.
    #[error("waits for itself")]
    Cycle,
    /// The service waits for the health of one that has no health check.
    #[error("{service} has no healthcheck to wait for")]
    NoHealthcheck {
        /// The service without a check.
        service: String,
    },
    /// The value is outside its limits.
    #[error("must be {0}")]
    OutOfRange(&'static str),
    /// Only a warning: what the image is may change from one day to the next.
    #[error("not pinned by a digest, so what runs may change: name@sha256:…")]
    NotPinned,
    /// Two mounts of a service have one place.
    #[error("{0} is mounted twice")]
    MountedTwice(String),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        write!(f, " {}", self.rule)
    }
}

impl std::error::Error for TemplateError {}

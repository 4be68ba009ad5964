//! Values of a compose file that are written as text: sizes, times, mounts.
//!
//! Each is parsed where it is read, so that an error has its line.

use serde::Deserialize;

use crate::Mount;

/// The capabilities a service may keep: what images need that begin as root and then stop it.
const CAPABILITIES: [&str; 6] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID"];

/// A memory size, in mebibytes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct MemoryMib(pub(crate) u32);

impl TryFrom<String> for MemoryMib {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let lower = text.to_ascii_lowercase();
        let (digits, factor) = match lower.trim_end_matches('b') {
            it if it.ends_with('m') => (it.trim_end_matches('m'), 1),
            it if it.ends_with('g') => (it.trim_end_matches('g'), 1024),
            _ => return Err("a size is written in mebibytes or gibibytes: 256m, 2g"),
        };
        let size = digits.parse::<u32>().ok().and_then(|it| it.checked_mul(factor));
        match size {
            // Docker refuses less than 6 MiB.
            Some(mib @ 6..=1_048_576) => Ok(Self(mib)),
            _ => Err("a size is from 6m to 1024g"),
        }
    }
}

/// A number of CPUs, in thousandths.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CpusMilli(pub(crate) u32);

impl TryFrom<String> for CpusMilli {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const FORM: &str = "a number of CPUs is from 0.01 to 256, with at most three decimals";
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, "0"));
        let is_digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        if !is_digits(whole) || !is_digits(decimals) || 3 < decimals.len() {
            return Err(FORM);
        }
        match format!("{whole}{decimals:0<3}").parse() {
            Ok(milli @ 10..=256_000) => Ok(Self(milli)),
            _ => Err(FORM),
        }
    }
}

/// A length of time, in milliseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct DurationMs(pub(crate) u64);

impl DurationMs {
    /// Longest time a template can name: a day.
    const MAX: u64 = 86_400_000;
}

impl TryFrom<String> for DurationMs {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const FORM: &str = "a time is written like 500ms, 30s or 1m30s, and is at most a day";
        let mut total = 0_u64;
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let digits = rest.find(|it: char| !it.is_ascii_digit()).ok_or(FORM)?;
            let (number, unit) = rest.split_at(digits);
            let unit_len = unit.find(|it: char| it.is_ascii_digit()).unwrap_or(unit.len());
            let (unit, after) = unit.split_at(unit_len);
            let factor = match unit {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                _ => return Err(FORM),
            };
            let part = number.parse::<u64>().ok().and_then(|it| it.checked_mul(factor));
            total = part.and_then(|it| it.checked_add(total)).ok_or(FORM)?;
            rest = after;
        }
        if text.is_empty() || Self::MAX < total {
            return Err(FORM);
        }
        Ok(Self(total))
    }
}

/// A mounted volume: `name:/path` or `name:/path:ro`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct MountText(pub(crate) Mount);

impl TryFrom<String> for MountText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.contains("docker.sock") {
            return Err("a space may not reach the Docker Engine: that is the whole host");
        }
        let mut parts = text.split(':');
        let (Some(volume), Some(target)) = (parts.next(), parts.next()) else {
            return Err("a volume is written as name:/path or name:/path:ro");
        };
        if volume.contains(['/', '~', '.', '\\']) {
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

/// A memory file system: `/path` or `/path:options`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct TmpfsText(pub(crate) String);

impl TryFrom<String> for TmpfsText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (path, options) = text.split_once(':').unwrap_or((&text, ""));
        absolute(path)?;
        let is_known =
            |it: &str| ["size=", "mode=", "uid=", "gid="].iter().any(|key| it.starts_with(key));
        if !options.is_empty() && !options.split(',').all(is_known) {
            return Err("a tmpfs has the options size, mode, uid and gid only");
        }
        Ok(Self(text))
    }
}

/// A capability of the allow-list.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Capability(pub(crate) String);

impl TryFrom<String> for Capability {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let name = text.strip_prefix("CAP_").unwrap_or(&text);
        if CAPABILITIES.contains(&name) {
            return Ok(Self(name.to_owned()));
        }
        Err(format!("a space may have no capability but {}", CAPABILITIES.join(", ")))
    }
}

fn absolute(path: &str) -> Result<&str, &'static str> {
    let is_plain = path.starts_with('/')
        && path != "/"
        && !path.split('/').any(|it| it == "..")
        && !path.contains(['\0', '$']);
    if is_plain { Ok(path) } else { Err("a path begins with '/', is not '/' and has no '..'") }
}

/// Whether `text` can name a service or a volume: it becomes a part of Docker's names and, for a
/// service, a host name.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_lowercase())
        && text.chars().all(|it| matches!(it, 'a'..='z' | '0'..='9' | '-' | '_'))
        && text.len() <= 40
}

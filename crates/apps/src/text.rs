//! Values of a compose file that are written as text: sizes, times, references of images.
//!
use serde::{Deserialize, Deserializer};

use crate::{Rule, errors::Errors, interpolate::plain};

/// A value that is read as text and judged later, so that one that is wrong hides no other.
#[derive(Clone, Debug)]
pub(crate) struct Judged<T>(Result<T, String>);

impl<'de, T: TryFrom<String, Error: ToString>> Deserialize<'de> for Judged<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::of)
    }
}

impl<T: TryFrom<String, Error: ToString>> Judged<T> {
    pub(crate) fn of(text: String) -> Self {
        Self(T::try_from(text).map_err(|error| error.to_string()))
    }
}

impl<T> Judged<T> {
    /// The value, or nothing and an error.
    pub(crate) fn take(self, key: &str, errors: &mut Errors) -> Option<T> {
        self.0.map_err(|error| errors.compose(key, Rule::Malformed(error))).ok()
    }
}

/// The capabilities a service may keep: what images need that begin as root and then stop it.
const CAPABILITIES: [&str; 6] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "NET_BIND_SERVICE", "SETGID", "SETUID"];

/// A memory size, in mebibytes.
#[derive(Clone, Copy, Debug)]
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
#[derive(Clone, Copy, Debug)]
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
#[derive(Clone, Copy, Debug)]
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

/// The most processes and threads of a service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PidsMax(pub(crate) u32);

impl TryFrom<String> for PidsMax {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.parse() {
            Ok(pids @ 1..=32_768) => Ok(Self(pids)),
            _ => Err("must be from 1 to 32768"),
        }
    }
}

/// How many failures in a row mean unhealthy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries(pub(crate) u32);

impl TryFrom<String> for Retries {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.parse() {
            Ok(retries @ 1..=1000) => Ok(Self(retries)),
            _ => Err("must be from 1 to 1000"),
        }
    }
}

/// The reference of an image. It has no variables, so a tenant has no say in what is run.
#[derive(Clone, Debug)]
pub(crate) struct Image(pub(crate) String);

impl TryFrom<String> for Image {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_name = |it: &str| {
            it.starts_with(|it: char| it.is_ascii_alphanumeric())
                && it.chars().all(|it| it.is_ascii_alphanumeric() || "._-/:".contains(it))
        };
        let is_digest = |it: &str| {
            it.strip_prefix("sha256:").is_some_and(|it| {
                it.len() == 64 && it.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
            })
        };
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text.as_str(), None),
        };
        if is_name(name) && digest.is_none_or(is_digest) {
            return Ok(Self(text));
        }
        Err("must be the reference of an image, without variables: name:tag or name@sha256:digest")
    }
}

/// Text where compose knows `$$` but a template may not use variables: a value of a tenant would end
/// up in what a shell reads.
#[derive(Clone, Debug)]
pub(crate) struct Plain(pub(crate) String);

impl TryFrom<String> for Plain {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        plain(&text).map(Self)
    }
}

/// A capability of the allow-list.
#[derive(Clone, Debug)]
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

/// Whether `text` can name a service or a volume: it becomes a part of Docker's names and, for a
/// service, a host name.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_lowercase())
        && text.chars().all(|it| matches!(it, 'a'..='z' | '0'..='9' | '-' | '_'))
        && text.len() <= 40
}

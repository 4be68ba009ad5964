//! The domains that tenants bring along.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};

/// A domain as its owner knows it: `garden.example`, in lower case, without the dot at its end.
///
/// A value of this type is a host name under a top-level domain. Whose it is, is another question.
///
/// Source: RFC 1123 §2.1 and RFC 3696 §2, of which the rule for top-level domains is: letters only,
/// or `xn--`. So no address in any of its spellings is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CustomDomain(String);

/// Why a string is not a [`CustomDomain`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// Nothing at all, or nothing before, behind or between dots.
    #[error("a domain has something before and behind each dot")]
    EmptyLabel,
    /// Longer than a domain can be whose proof has to fit, too.
    #[error("a domain has at most {} characters", CustomDomain::LEN_MAX)]
    TooLong,
    /// A part between dots is too long for DNS.
    #[error("between two dots a domain has at most {} characters", CustomDomain::LABEL_LEN_MAX)]
    LabelTooLong,
    /// Only one label: `localhost`, or an address as one number.
    #[error("a domain has a dot: garden.example")]
    NoDot,
    /// An address of a machine.
    #[error("this is an address, and not the name of a domain")]
    IpAddress,
    /// A character other than ASCII.
    #[error("a domain is written in ASCII: in its xn-- form, without {found:?}")]
    NotAscii {
        /// The first such character.
        found: char,
    },
    /// A character that no host name has: a scheme, a port, a path, a user, a wildcard.
    #[error("a domain has only letters, digits, '-' and '.', not {found:?}; it is the name alone")]
    BadCharacter {
        /// The first such character.
        found: char,
    },
    /// A hyphen at the beginning or the end of a label.
    #[error("between two dots a domain has no hyphen at its ends")]
    BadHyphen,
    /// What stands behind the last dot can be no top-level domain.
    #[error("behind the last dot of a domain there are letters only, or xn--")]
    BadTopLevel,
}

impl CustomDomain {
    /// What stands before a domain where its proof is looked for.
    pub const PROOF_PREFIX: &str = "_spaceport.";
    /// Most characters: DNS takes 253 with [`Self::PROOF_PREFIX`].
    pub const LEN_MAX: usize = 253 - Self::PROOF_PREFIX.len();
    /// Most characters between two dots.
    pub const LABEL_LEN_MAX: usize = 63;

    /// The domain as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the proof of it is looked for: `_spaceport.garden.example`.
    #[must_use]
    pub fn proof_name(&self) -> String {
        format!("{}{}", Self::PROOF_PREFIX, self.0)
    }

    /// Whether it is `parent` or below it.
    #[must_use]
    pub fn is_within(&self, parent: &str) -> bool {
        let rest = self.0.strip_suffix(parent);
        rest.is_some_and(|it| it.is_empty() || it.ends_with('.'))
    }
}

impl FromStr for CustomDomain {
    type Err = DomainError;

    /// Takes also upper case and one dot at the end.
    fn from_str(text: &str) -> Result<Self, DomainError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if is_address(text) {
            return Err(DomainError::IpAddress);
        }
        if let Some(found) = text.chars().find(|it| !it.is_ascii()) {
            return Err(DomainError::NotAscii { found });
        }
        let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '.');
        if let Some(found) = text.chars().find(|it| !is_plain(*it)) {
            return Err(DomainError::BadCharacter { found });
        }
        if Self::LEN_MAX < text.len() {
            return Err(DomainError::TooLong);
        }
        let text = text.to_ascii_lowercase();
        text.split('.').try_for_each(check_label)?;
        let (_, top) = text.rsplit_once('.').ok_or(DomainError::NoDot)?;
        if top.starts_with("xn--") || top.bytes().all(|it| it.is_ascii_alphabetic()) {
            Ok(Self(text))
        } else if top.starts_with(|it: char| it.is_ascii_digit()) {
            Err(DomainError::IpAddress)
        } else {
            Err(DomainError::BadTopLevel)
        }
    }
}

fn is_address(text: &str) -> bool {
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().is_ok()
}

fn check_label(label: &str) -> Result<(), DomainError> {
    if label.is_empty() {
        Err(DomainError::EmptyLabel)
    } else if CustomDomain::LABEL_LEN_MAX < label.len() {
        Err(DomainError::LabelTooLong)
    } else if label.starts_with('-') || label.ends_with('-') {
        Err(DomainError::BadHyphen)
    } else {
        Ok(())
    }
}

impl TryFrom<String> for CustomDomain {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, DomainError> {
        text.parse()
    }
}

impl From<CustomDomain> for String {
    fn from(domain: CustomDomain) -> Self {
        domain.0
    }
}

impl fmt::Display for CustomDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        use DomainError as E;
        let label = "a".repeat(63);
        let [longest, too_long] =
            [50, 51].map(|it| format!("{label}.{label}.{label}.{}", "a".repeat(it)));
        let very_long = "a.".repeat(150);
        let long_label = format!("{label}a.example");
        let bad = |found| Err(E::BadCharacter { found });
        #[rustfmt::skip]
        let rows: &[(&str, Result<&str, DomainError>)] = &[
            ("garden.example",         Ok("garden.example")),
            ("Garden.Example.",        Ok("garden.example")),
            ("a.b.c.example",          Ok("a.b.c.example")),
            ("r3---sn.example",        Ok("r3---sn.example")),
            ("3com.example",           Ok("3com.example")),
            ("xn--grten-5qa.example",  Ok("xn--grten-5qa.example")),
            ("garden.xn--p1ai",        Ok("garden.xn--p1ai")),
            (&longest[..],             Ok(&longest[..])),
            (&too_long[..],            Err(E::TooLong)),
            (&very_long[..],           Err(E::TooLong)),
            (&long_label[..],          Err(E::LabelTooLong)),
            ("",                       Err(E::EmptyLabel)),
            (".",                      Err(E::EmptyLabel)),
            (".example",               Err(E::EmptyLabel)),
            ("garden..example",        Err(E::EmptyLabel)),
            ("garden.example..",       Err(E::EmptyLabel)),
            ("localhost",              Err(E::NoDot)),
            ("example.",               Err(E::NoDot)),
            ("2130706433",             Err(E::NoDot)),
            ("0x7f000001",             Err(E::NoDot)),
            ("127.0.0.1",              Err(E::IpAddress)),
            ("127.0.0.1.",             Err(E::IpAddress)),
            ("127.1",                  Err(E::IpAddress)),
            ("127.0.0.0x1",            Err(E::IpAddress)),
            ("010.0.0.1",              Err(E::IpAddress)),
            ("garden.123",             Err(E::IpAddress)),
            ("::1",                    Err(E::IpAddress)),
            ("[::1]",                  Err(E::IpAddress)),
            ("[2001:db8::1]",          Err(E::IpAddress)),
            ("::ffff:127.0.0.1",       Err(E::IpAddress)),
            ("gärten.example",         Err(E::NotAscii { found: 'ä' })),
            ("garden\u{3002}example",  Err(E::NotAscii { found: '\u{3002}' })),
            ("*.example",              bad('*')),
            ("_spaceport.example",     bad('_')),
            ("garden.example:443",     bad(':')),
            ("https://garden.example", bad(':')),
            ("garden.example/path",    bad('/')),
            ("me@garden.example",      bad('@')),
            ("garden example",         bad(' ')),
            (" garden.example",        bad(' ')),
            ("garden.example\n",       bad('\n')),
            ("garden.example\0",       bad('\0')),
            ("a`) || Host(`b.example", bad('`')),
            ("-garden.example",        Err(E::BadHyphen)),
            ("garden-.example",        Err(E::BadHyphen)),
            ("garden.e-x",             Err(E::BadTopLevel)),
            ("garden.x1",              Err(E::BadTopLevel)),
        ];
        for (text, want) in rows {
            let got = text.parse::<CustomDomain>();
            assert_eq!(got.as_ref().map(CustomDomain::as_str), want.as_ref().copied(), "{text:?}");
        }
        assert_eq!(longest.len(), CustomDomain::LEN_MAX);
    }

    #[test]
    fn a_domain_is_within_another_by_whole_labels() {
        let domain: CustomDomain = "a.garden.example".parse().unwrap();
        #[rustfmt::skip]
        let rows = [
            ("a.garden.example", true),
            ("garden.example",   true),
            ("example",          true),
            ("arden.example",    false),
            ("b.garden.example", false),
            ("x.a.garden.example", false),
        ];
        for (parent, is_within) in rows {
            assert_eq!(domain.is_within(parent), is_within, "{parent}");
        }
    }
}

//! The names of spaces.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a space: the DNS label `garden` of `garden.example.org`.
///
/// A value of this type is a valid host label. Whether it is free or reserved is another question.
///
/// Source: RFC 1123 §2.1, narrowed to lower case, 3 to 40 characters and single inner hyphens, so
/// that no name looks like another and none is an internationalised (`xn--`) label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpaceName(String);

/// Why a string is not a [`SpaceName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Shorter than a name may be.
    #[error("a name has at least {} characters", SpaceName::LEN_MIN)]
    TooShort,
    /// Longer than a name may be.
    #[error("a name has at most {} characters", SpaceName::LEN_MAX)]
    TooLong,
    /// A character other than `a-z`, `0-9` or `-`.
    #[error("a name has only a-z, 0-9 and '-', not {found:?}")]
    BadCharacter {
        /// The first offending character.
        found: char,
    },
    /// A hyphen at the beginning or the end, or two in a row (which is also how `xn--` looks).
    #[error("a name has no hyphen at its ends and no two in a row")]
    BadHyphen,
}

impl SpaceName {
    /// Fewest characters.
    pub const LEN_MIN: usize = 3;
    /// Most characters.
    pub const LEN_MAX: usize = 40;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SpaceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if let Some(found) = text.chars().find(|it| !matches!(it, 'a'..='z' | '0'..='9' | '-')) {
            return Err(NameError::BadCharacter { found });
        }
        if text.len() < Self::LEN_MIN {
            return Err(NameError::TooShort);
        }
        if Self::LEN_MAX < text.len() {
            return Err(NameError::TooLong);
        }
        if text.starts_with('-') || text.ends_with('-') || text.contains("--") {
            return Err(NameError::BadHyphen);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for SpaceName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<SpaceName> for String {
    fn from(name: SpaceName) -> Self {
        name.0
    }
}

impl fmt::Display for SpaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names that nobody may take, because mail, browsers or people would mistake them for the
/// operator's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReservedNames(BTreeSet<String>);

impl ReservedNames {
    /// Reserved everywhere.
    pub const ALWAYS: &str = "www www1 www2 api admin administrator root system operator mail \
        email webmail smtp imap pop pop3 relay mta mta-sts dkim dmarc spf mx1 mx2 autoconfig \
        autodiscover ftp sftp ssh vpn proxy dns ns1 ns2 ns3 ns4 dns1 dns2 wpad isatap \
        localhost localdomain broadcasthost internal intranet app apps auth oauth sso login \
        logout signin signup register account accounts dashboard console billing pay payment \
        payments checkout invoice invoices provision status health support help docs \
        documentation blog legal terms privacy static assets cdn upload uploads backup \
        backups edge gateway worker fleet metrics grafana prometheus traefik caddy nginx \
        docker registry git dev development staging stage prod production postmaster \
        hostmaster webmaster usenet news-admin uucp abuse noc security ssladmin \
        ssladministrator sslwebmaster no-reply noreply mailer-daemon spaceport";

    /// What no name begins with: under the domain of the spaces `spc-01...` is a space's own name
    /// for ever, to which custom domains point.
    pub const PREFIX: &str = "spc-";

    /// [`Self::ALWAYS`] and the operator's own, given separated by commas or white space.
    #[must_use]
    pub fn with(extra: &str) -> Self {
        let separators = |it: char| it == ',' || it.is_whitespace();
        let names = Self::ALWAYS.split(separators).chain(extra.split(separators));
        Self(names.filter(|it| !it.is_empty()).map(str::to_ascii_lowercase).collect())
    }

    /// Whether nobody may take `name`.
    #[must_use]
    pub fn contains(&self, name: &SpaceName) -> bool {
        name.as_str().starts_with(Self::PREFIX) || self.0.contains(name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let longest = "a".repeat(40);
        let too_long = "a".repeat(41);
        #[rustfmt::skip]
        let rows: &[(&str, Result<(), NameError>)] = &[
            ("abc",          Ok(())),
            ("a-c",          Ok(())),
            ("4-ever-2",     Ok(())),
            (&longest,       Ok(())),
            (&too_long,      Err(NameError::TooLong)),
            ("ab",           Err(NameError::TooShort)),
            ("",             Err(NameError::TooShort)),
            ("-abc",         Err(NameError::BadHyphen)),
            ("abc-",         Err(NameError::BadHyphen)),
            ("a--c",         Err(NameError::BadHyphen)),
            ("xn--abc",      Err(NameError::BadHyphen)),
            ("Garden",       Err(NameError::BadCharacter { found: 'G' })),
            ("gar.den",      Err(NameError::BadCharacter { found: '.' })),
            ("gar_den",      Err(NameError::BadCharacter { found: '_' })),
            ("gärten",       Err(NameError::BadCharacter { found: 'ä' })),
            ("a b",          Err(NameError::BadCharacter { found: ' ' })),
            ("abc\n",        Err(NameError::BadCharacter { found: '\n' })),
        ];
        for (text, want) in rows {
            assert_eq!(text.parse::<SpaceName>().map(|_| ()), *want, "{text:?}");
        }
    }

    #[test]
    fn the_operator_adds_to_the_reserved_names() {
        let reserved = ReservedNames::with("Garden, lawn\nshed");
        for (name, is_reserved) in
            [("www", true), ("garden", true), ("shed", true), ("lawn", true), ("pond", false)]
        {
            assert_eq!(reserved.contains(&name.parse().unwrap()), is_reserved, "{name}");
        }
    }

    #[test]
    fn what_an_operator_of_a_domain_needs_can_not_be_taken() {
        let reserved = ReservedNames::with("");
        let names = "www api admin mail smtp imap ns1 autoconfig autodiscover traefik status cdn \
             static app auth login internal localhost wpad isatap mta-sts ftp webmail postmaster \
             hostmaster webmaster abuse security support help billing docs blog dev staging \
             administrator ssladmin spc-01aryz6s41zzzzzzzzzzzzzzzz spc-garden";
        for name in names.split_whitespace() {
            assert!(reserved.contains(&name.parse().unwrap()), "{name}");
        }
        for name in ["spcgarden", "my-spc-garden", "testing-ground", "wwww"] {
            assert!(!reserved.contains(&name.parse().unwrap()), "{name}");
        }
        // Each of them could be a name, else it is there for nothing.
        for name in ReservedNames::ALWAYS.split_whitespace() {
            assert!(name.parse::<SpaceName>().is_ok(), "{name}");
        }
    }
}

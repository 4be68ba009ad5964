//! What a key may be used for.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// One thing that a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Reading spaces, and what there is to know for making one.
    SpacesRead,
    /// Making and changing spaces. Reading them is not in it.
    SpacesWrite,
}

/// What a key may be used for: at least one [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Scope>", into = "Vec<Scope>")]
pub struct Scopes(BTreeSet<Scope>);

/// Why something is no scope or no list of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// There is no such scope.
    #[error("there is no scope {0:?}, only spaces:read and spaces:write")]
    Unknown(String),
    /// A key for nothing is of no use.
    #[error("a key needs at least one scope")]
    None,
}

impl Scope {
    /// The scope as text: `spaces:read`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SpacesRead => "spaces:read",
            Self::SpacesWrite => "spaces:write",
        }
    }
}

impl Scopes {
    /// Whether `scope` is one of them.
    #[must_use]
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        [Self::SpacesRead, Self::SpacesWrite]
            .into_iter()
            .find(|it| it.as_str() == text)
            .ok_or_else(|| ScopeError::Unknown(text.to_owned()))
    }
}

impl TryFrom<String> for Scope {
    type Error = ScopeError;

    fn try_from(text: String) -> Result<Self, ScopeError> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.as_str().to_owned()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scopes {
    type Err = ScopeError;

    /// Reads scopes between spaces, as `Display` writes them and OAuth (RFC 6749, section 3.3) does.
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        text.split_ascii_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>()?.try_into()
    }
}

impl TryFrom<Vec<Scope>> for Scopes {
    type Error = ScopeError;

    fn try_from(scopes: Vec<Scope>) -> Result<Self, ScopeError> {
        if scopes.is_empty() {
            Err(ScopeError::None)
        } else {
            Ok(Self(scopes.into_iter().collect()))
        }
    }
}

impl From<Scopes> for Vec<Scope> {
    fn from(scopes: Scopes) -> Self {
        scopes.0.into_iter().collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(|it| it.as_str()).collect();
        f.write_str(&texts.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_a_set_that_is_not_empty() {
        let unknown = |text: &str| Err(ScopeError::Unknown(text.to_owned()));
        #[rustfmt::skip]
        let rows = [
            ("spaces:read",                          Ok("spaces:read")),
            ("spaces:write",                         Ok("spaces:write")),
            ("spaces:read spaces:write",             Ok("spaces:read spaces:write")),
            ("spaces:write  spaces:read",            Ok("spaces:read spaces:write")),
            ("spaces:read spaces:read",              Ok("spaces:read")),
            ("",                                     Err(ScopeError::None)),
            (" ",                                    Err(ScopeError::None)),
            ("spaces",                               unknown("spaces")),
            ("Spaces:Read",                          unknown("Spaces:Read")),
            ("spaces:read,spaces:write",             unknown("spaces:read,spaces:write")),
            ("spaces:read spaces:*",                 unknown("spaces:*")),
        ];
        for (text, want) in rows {
            let got = text.parse::<Scopes>();
            assert_eq!(got.clone().map(|it| it.to_string()), want.map(str::to_owned), "{text:?}");
            if let Ok(scopes) = got {
                assert_eq!(scopes.to_string().parse(), Ok(scopes));
            }
        }
    }

    #[test]
    fn a_scope_allows_nothing_but_itself() {
        let read: Scopes = "spaces:read".parse().unwrap();
        assert!(read.contains(Scope::SpacesRead) && !read.contains(Scope::SpacesWrite));
        let write: Scopes = "spaces:write".parse().unwrap();
        assert!(write.contains(Scope::SpacesWrite) && !write.contains(Scope::SpacesRead));
    }

    #[test]
    fn scopes_are_a_list_in_json() {
        #[rustfmt::skip]
        let rows = [
            (r#"["spaces:write","spaces:read"]"#, Ok(r#"["spaces:read","spaces:write"]"#)),
            (r#"["spaces:read"]"#,                Ok(r#"["spaces:read"]"#)),
            ("[]",                                Err("a key needs at least one scope")),
            (r#"["admin"]"#,                      Err("there is no scope \"admin\", only spaces:read and spaces:write")),
        ];
        for (json, want) in rows {
            let got = serde_json::from_str::<Scopes>(json).map_err(|error| error.to_string());
            match (got, want) {
                (Ok(scopes), Ok(want)) => assert_eq!(serde_json::to_string(&scopes).unwrap(), want),
                (Err(error), Err(want)) => assert!(error.starts_with(want), "{error}"),
                (got, want) => panic!("{json}: {got:?} instead of {want:?}"),
            }
        }
    }
}

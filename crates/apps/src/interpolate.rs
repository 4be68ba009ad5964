//! `${NAME}` in the strings of a compose file.
//!
//! Compose's own notation, as much of it as an app needs: `${NAME}`, `${NAME:-default}` and `$$`
//! for a dollar sign. It works on strings that YAML was parsed into, and what is put in is not
//! looked at again, so a value can't become a key, an argument or another variable.

/// Why a string can't be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpandError<E> {
    /// A `$` that begins nothing known.
    #[error("a '$' is written as '$$', and a variable as ${{NAME}} or ${{NAME:-default}}")]
    Syntax,
    /// The name was refused.
    #[error("{0}")]
    Lookup(E),
}

/// `text` with every variable replaced by what `lookup` says. As in compose, a default stands in
/// for an empty value too.
pub(crate) fn expand<E>(
    text: &str,
    mut lookup: impl FnMut(&str) -> Result<String, E>,
) -> Result<String, ExpandError<E>> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let braced = after.strip_prefix('{').and_then(|it| it.split_once('}'));
        let (inside, after) = braced.ok_or(ExpandError::Syntax)?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !is_name(name) || default.is_some_and(|it| it.contains('$')) {
            return Err(ExpandError::Syntax);
        }
        let value = lookup(name).map_err(ExpandError::Lookup)?;
        match default {
            Some(default) if value.is_empty() => out.push_str(default),
            _ => out.push_str(&value),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Whether `name` can be the name of a variable.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_')
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_')
}

/// `text` with `$$` as `$`, where there may be no variable.
pub(crate) fn plain(text: &str) -> Result<String, String> {
    const NONE: &str = "variables are for environment and command only";
    if text.contains('\0') {
        return Err(NUL.to_owned());
    }
    expand(text, |_| Err(NONE)).map_err(|error| error.to_string())
}

/// What is wrong with text that has a NUL.
pub(crate) const NUL: &str = "has a NUL, which no environment and no argument can carry";

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Result<String, String> {
        match name {
            "NAME" => Ok("garden".into()),
            "EMPTY" => Ok(String::new()),
            "DOLLAR" => Ok("$NAME ${NAME} $$ $(id)".into()),
            _ => Err(name.into()),
        }
    }

    #[test]
    fn every_notation() {
        let unknown = |name: &str| Err(ExpandError::Lookup(name.to_owned()));
        let rows = [
            ("", Ok("")),
            ("plain", Ok("plain")),
            ("${NAME}", Ok("garden")),
            ("a${NAME}b${NAME}", Ok("agardenbgarden")),
            ("$${NAME}", Ok("${NAME}")),
            ("5$$", Ok("5$")),
            ("${NAME:-other}", Ok("garden")),
            ("${EMPTY:-other}", Ok("other")),
            ("${EMPTY:-}", Ok("")),
            ("${EMPTY:-a:-b}", Ok("a:-b")),
            // What is put in is data.
            ("${DOLLAR}", Ok("$NAME ${NAME} $$ $(id)")),
            ("${OTHER}", unknown("OTHER")),
            ("${OTHER:-x}", unknown("OTHER")),
            ("$NAME", Err(ExpandError::Syntax)),
            ("$", Err(ExpandError::Syntax)),
            ("${NAME", Err(ExpandError::Syntax)),
            ("${}", Err(ExpandError::Syntax)),
            ("${NAME-x}", Err(ExpandError::Syntax)),
            ("${NAME:?x}", Err(ExpandError::Syntax)),
            ("${NAME:-${EMPTY}}", Err(ExpandError::Syntax)),
            ("${1ST}", Err(ExpandError::Syntax)),
            ("$(id)", Err(ExpandError::Syntax)),
        ];
        for (text, want) in rows {
            assert_eq!(expand(text, lookup), want.map(str::to_owned), "{text}");
        }
    }
}

//! What a parser says of a text, fit to be said on.

/// Most characters that are said on. A parser may quote a whole text.
const CHARS_MAX: usize = 200;

/// `text` in one line of reasonable length: control characters are written as Rust escapes.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars().take(CHARS_MAX) {
        if character.is_control() {
            line.extend(character.escape_debug());
        } else {
            line.push(character);
        }
    }
    line
}

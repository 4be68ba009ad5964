//! What others wrote, fit to be said on.

/// The first characters of `text`, without what would look like another line.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let printable = text.chars().map(|it| if it.is_control() { ' ' } else { it });
    printable.take(chars_max).collect()
}

//! What Docker says, as a failure that a person understands.

use bollard::errors::Error;
use reconcile::Failure;

/// Longest part of a message of Docker that is shown, in characters.
const SAID_CHARS_MAX: usize = 200;

/// Docker did not do `doing`.
pub(super) fn failed(doing: impl Into<String>, error: Error) -> Failure {
    match error {
        Error::DockerResponseServerError { message, .. } => {
            Failure::Docker { doing: doing.into(), said: shown(&message) }
        }
        Error::DockerStreamError { error } => {
            Failure::Docker { doing: doing.into(), said: shown(&error) }
        }
        error => Failure::DockerDown(error.into()),
    }
}

/// Whether Docker answered with `status`.
pub(super) fn has_status(error: &Error, status: u16) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code, .. } if *status_code == status)
}

/// `text` as one line of bearable length without control characters.
pub(super) fn shown(text: &str) -> String {
    let words: Vec<_> = text.split(|it: char| it.is_whitespace() || it.is_control()).collect();
    let words: Vec<_> = words.into_iter().filter(|it| !it.is_empty()).collect();
    words.join(" ").chars().take(SAID_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_one_short_line() {
        assert_eq!(shown(" no\nsuch\tfile\u{1b}[0m \0"), "no such file [0m");
        assert_eq!(shown(&"ä".repeat(500)).chars().count(), SAID_CHARS_MAX);
    }
}

//! What Docker says, as a failure that a person understands.

use bollard::errors::Error;
use reconcile::Failure;

use crate::files::FilesError;

/// Longest part of a message of Docker that is shown, in characters.
const SAID_CHARS_MAX: usize = 200;

/// Docker did not do `doing`. What it calls its own fault is the host's.
pub(super) fn failed(doing: impl Into<String>, error: Error) -> Failure {
    match error {
        Error::DockerResponseServerError { status_code: 500.., message } => {
            Failure::Host { doing: doing.into(), said: shown(&message) }
        }
        Error::DockerResponseServerError { message, .. } => {
            Failure::Docker { doing: doing.into(), said: shown(&message) }
        }
        Error::DockerStreamError { error } => {
            Failure::Docker { doing: doing.into(), said: shown(&error) }
        }
        error => Failure::DockerDown(error.into()),
    }
}

/// `failure` of a container's start. Docker calls it its own fault if the program, the user or a
/// mount of the image is not right.
pub(super) fn of_space(failure: Failure) -> Failure {
    match failure {
        Failure::Host { doing, said } if !said.contains("no space left on device") => {
            Failure::Docker { doing, said }
        }
        other => other,
    }
}

/// `image` was not pulled. Only a registry can say that it is nowhere; it may be away itself.
pub(super) fn not_pulled(image: String, error: Error) -> Failure {
    let (is_nowhere, said) = match error {
        Error::DockerResponseServerError { status_code, message } => {
            (status_code == 404 || says_nowhere(&message), message)
        }
        Error::DockerStreamError { error } => (says_nowhere(&error), error),
        error => return Failure::DockerDown(error.into()),
    };
    let said = shown(&said);
    if is_nowhere {
        Failure::ImageNotFound { image, said }
    } else {
        Failure::ImageNotPulled { image, said }
    }
}

fn says_nowhere(message: &str) -> bool {
    ["manifest unknown", "not found", "access denied", "denied: "]
        .iter()
        .any(|it| message.to_ascii_lowercase().contains(it))
}

/// The worker's own files could not be used for `doing`.
pub(super) fn files(doing: &'static str, cause: FilesError) -> Failure {
    Failure::Files { doing, cause: cause.into() }
}

/// Whether Docker refuses to remove what somebody removes already.
pub(super) fn is_being_removed(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 409, message }
        if message.contains("already in progress"))
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

    fn server(status_code: u16, message: &str) -> Error {
        Error::DockerResponseServerError { status_code, message: message.to_owned() }
    }

    #[test]
    fn whose_fault_it_is() {
        const DISK: &str = "write /var/lib/docker/tmp: no space left on device";
        let stream = |it: &str| Error::DockerStreamError { error: it.to_owned() };
        let pull = |error| not_pulled("app:1".to_owned(), error);
        let start = |error| of_space(failed("start web", error));
        #[rustfmt::skip]
        let rows = [
            // what                                                       of the host  final
            (failed("create web", server(500, DISK)),                     true,  false),
            (failed("create web", server(400, "bad parameter")),          false, false),
            (start(server(500, "OCI runtime: no such user")),             false, false),
            (start(server(500, DISK)),                                    true,  false),
            (start(server(404, "no such container")),                     false, false),
            (pull(server(404, "pull access denied for app")),             false, true),
            (pull(server(500, "manifest unknown")),                       false, true),
            (pull(stream("denied: requested access is denied")),          false, true),
            (pull(server(500, "dial tcp: connection refused")),           false, false),
            (pull(server(500, "toomanyrequests: rate limit exceeded")),   false, false),
            (pull(server(500, "mkdir /var/lib: permission denied")),      false, false),
            (pull(stream("unexpected EOF")),                              false, false),
            (pull(Error::RequestTimeoutError),                            true,  false),
        ];
        for (failure, is_of_host, is_final) in rows {
            assert_eq!(
                (failure.is_of_host(), failure.is_final()),
                (is_of_host, is_final),
                "{failure}"
            );
        }
    }

    #[test]
    fn what_is_shown_is_one_short_line() {
        assert_eq!(shown(" no\nsuch\tfile\u{1b}[0m \0"), "no such file [0m");
        assert_eq!(shown(&"ä".repeat(500)).chars().count(), SAID_CHARS_MAX);
    }
}

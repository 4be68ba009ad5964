//! What went wrong, told so that a person understands it.

use std::{error::Error, fmt::Write as _, time::Duration};

use crate::{Blocked, DesiredStack, ObservedStack, Waiting};

/// What went wrong with a space. Displays as one line for its owner.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The app's image is neither here nor where it should come from.
    #[error("image not found: {image} is not on this host, and could not be pulled ({said})")]
    ImageNotFound {
        /// The image's reference.
        image: String,
        /// What Docker said.
        said: String,
    },
    /// The app's image is not here, and its registry does not say that it isn't there either.
    #[error("image not found: {image} is not on this host, and could not be pulled ({said})")]
    ImageNotPulled {
        /// The image's reference.
        image: String,
        /// What Docker said.
        said: String,
    },
    /// A service ended that should run.
    #[error("{}", exited(service, exit))]
    Exited {
        /// The service.
        service: String,
        /// How it ended.
        exit: Exit,
    },
    /// The web service did not answer in time.
    #[error(
        "port never answered: {service} did not answer GET {path} on port {port} within {} s",
        patience.as_secs()
    )]
    NotReady {
        /// The service.
        service: String,
        /// What was asked for.
        path: String,
        /// Where.
        port: u16,
        /// How long it had time.
        patience: Duration,
    },
    /// A service that others need did not become healthy in time.
    #[error("{service} did not become healthy within {} s", patience.as_secs())]
    NotHealthy {
        /// The service.
        service: String,
        /// How long it had time.
        patience: Duration,
    },
    /// The web service answers, and a command that says whether another service is ready does not
    /// say so in time.
    #[error("{service} is not ready: its check did not pass within {} s", patience.as_secs())]
    CheckFailed {
        /// The service in which the command is run.
        service: String,
        /// How long it had time.
        patience: Duration,
    },
    /// The app did not let its first admin be made.
    #[error("the first admin could not be made: {}", answered(*status, said))]
    FirstAdmin {
        /// The status of the answer; `None` if there was none.
        status: Option<u16>,
        /// The first line of the answer, without the space's secrets, or why there was none.
        said: String,
    },
    /// A service of the host did not take the space, or did not let it go.
    #[error("{name}, which spaces of this host share, refused: {said}")]
    SharedRefused {
        /// Its name in the space's network.
        name: String,
        /// What it said.
        said: String,
    },
    /// A service of the host that the space uses was not ready in time.
    #[error("{name}, which spaces of this host share, was not ready within {} s", patience.as_secs())]
    NotShared {
        /// Its name in the space's network.
        name: String,
        /// How long it had time.
        patience: Duration,
    },
    /// The volumes could not be copied, so nothing was changed.
    #[error("the data could not be copied before the update: {said}")]
    NotSaved {
        /// What the system said.
        said: String,
    },
    /// The final backup could not be made, so nothing was removed.
    #[error("the final backup could not be {doing}: {said}")]
    NotBackedUp {
        /// What was attempted: `written`, `verified`.
        doing: &'static str,
        /// What the system said.
        said: String,
    },
    /// Docker did not get a container removed.
    #[error("{service} is being removed, and has not gone within {} s", patience.as_secs())]
    NotRemoved {
        /// The service.
        service: String,
        /// How long it had time.
        patience: Duration,
    },
    /// All networks of the host's range are in use.
    #[error("no free network in the pool {pool}")]
    NoFreeNetwork {
        /// The range.
        pool: String,
    },
    /// Something that we did not make has the name that we need. It is not touched.
    #[error("there is a {kind} {name} that is not this space's; it is left alone")]
    Foreign {
        /// `container`, `network` or `volume`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// This host has no such app.
    #[error("this host has no app {app}")]
    AppUnknown {
        /// The app's id.
        app: String,
    },
    /// The app cannot be made with these settings.
    #[error("the settings do not fit the app: {detail}")]
    Settings {
        /// Which, and why.
        detail: String,
    },
    /// A person must look.
    #[error("{}", lost(.0))]
    Lost(Blocked),
    /// Docker did not do it.
    #[error("Docker could not {doing}: {said}")]
    Docker {
        /// What was attempted: `start web`.
        doing: String,
        /// What Docker said.
        said: String,
    },
    /// Docker did not do it for want of something that has nothing to do with the space.
    #[error("the Docker Engine of this host could not {doing}: {said}")]
    Host {
        /// What was attempted: `create the network`.
        doing: String,
        /// What Docker said.
        said: String,
    },
    /// Docker does not answer, which is the host's trouble and not the space's.
    #[error("the Docker Engine of this host does not answer")]
    DockerDown(#[source] Box<dyn Error + Send + Sync>),
    /// The worker's own files could not be written or read, which is the host's trouble too.
    #[error("this host could not {doing}")]
    Files {
        /// What was attempted: `write the secrets`.
        doing: &'static str,
        /// What the system said.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

/// How a container ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code.
    pub code: i64,
    /// Whether the kernel killed it because it was at its memory limit.
    pub out_of_memory: bool,
    /// Its memory limit, in MiB.
    pub memory_mib: u32,
    /// The last line that it wrote, without the space's secrets.
    pub last_line: Option<String>,
}

impl Failure {
    /// The wait for `waiting` took longer than `patience`.
    #[must_use]
    pub fn timed_out(waiting: &Waiting, desired: &DesiredStack, patience: Duration) -> Self {
        match (waiting, &desired.web) {
            (Waiting::Ready, Some(web)) => Self::NotReady {
                service: web.service.clone(),
                path: web.path.clone(),
                port: web.port,
                patience,
            },
            (Waiting::Ready, None) => Self::NotHealthy { service: "it".to_owned(), patience },
            (Waiting::Healthy(service), _) => {
                Self::NotHealthy { service: service.clone(), patience }
            }
            (Waiting::Removed(service), _) => {
                Self::NotRemoved { service: service.clone(), patience }
            }
            (Waiting::Shared(name), _) => Self::NotShared { name: name.clone(), patience },
        }
    }

    /// The same failure where `observed` says more of it.
    #[must_use]
    pub fn given(self, observed: &ObservedStack) -> Self {
        match (self, &observed.check_failing) {
            (Self::NotReady { patience, .. }, Some(service)) => {
                Self::CheckFailed { service: service.clone(), patience }
            }
            (failure, _) => failure,
        }
    }

    /// Whether another attempt with the same wish is bound to fail the same way.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::ImageNotFound { .. }
            | Self::Foreign { .. }
            | Self::AppUnknown { .. }
            | Self::Settings { .. }
            | Self::Lost(_) => true,
            Self::ImageNotPulled { .. }
            | Self::Exited { .. }
            | Self::NotReady { .. }
            | Self::NotHealthy { .. }
            | Self::NotRemoved { .. }
            | Self::NotShared { .. }
            | Self::CheckFailed { .. }
            | Self::SharedRefused { .. }
            | Self::FirstAdmin { .. }
            | Self::NotSaved { .. }
            | Self::NotBackedUp { .. }
            | Self::NoFreeNetwork { .. }
            | Self::Docker { .. }
            | Self::Host { .. }
            | Self::DockerDown(_)
            | Self::Files { .. } => false,
        }
    }

    /// Whether it is the host that fails and not the space, so that no attempt is used up.
    #[must_use]
    pub const fn is_of_host(&self) -> bool {
        matches!(
            self,
            Self::NoFreeNetwork { .. }
                | Self::NotShared { .. }
                | Self::SharedRefused { .. }
                | Self::NotBackedUp { .. }
                | Self::Host { .. }
                | Self::DockerDown(_)
                | Self::Files { .. }
        )
    }

    /// Whether a wait took too long, so that all containers should be started once more.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::NotReady { .. } | Self::NotHealthy { .. } | Self::CheckFailed { .. })
    }
}

fn answered(status: Option<u16>, said: &str) -> String {
    match status {
        Some(status) if said.is_empty() => format!("the app answers {status}"),
        Some(status) => format!("the app answers {status} ({said})"),
        None => said.to_owned(),
    }
}

/// The exit code of a process that got a SIGKILL.
const KILLED: i64 = 137;

fn exited(service: &str, exit: &Exit) -> String {
    let Exit { code, out_of_memory, memory_mib, last_line } = exit;
    if *out_of_memory {
        return format!("out of memory: {service} was killed at its limit of {memory_mib} MiB");
    }
    // Docker does not always hear of the kernel's kill before it hears of the end.
    if *code == KILLED {
        return format!(
            "{service} was killed, most likely out of memory: its limit is {memory_mib} MiB"
        );
    }
    let mut text = format!("{service} exited with code {code}");
    if let Some(line) = last_line {
        let _ = write!(text, " (last line: {line})");
    }
    text
}

fn lost(blocked: &Blocked) -> String {
    match blocked {
        Blocked::VolumeLost(volume) => format!(
            "the volume {volume} with the data of this space is gone; an operator must look"
        ),
        Blocked::SecretsLost => {
            "the secrets of this space are gone; an operator must look".to_owned()
        }
        Blocked::NoWayBack => {
            "it keeps data in services that spaces share, and an update could not be undone there"
                .to_owned()
        }
        Blocked::CopyDamaged(volume) => format!(
            "the copy of the volume {volume} from before the update is damaged; \
             an operator must look"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(code: i64, out_of_memory: bool, last_line: Option<&str>) -> Failure {
        let last_line = last_line.map(str::to_owned);
        let exit = Exit { code, out_of_memory, memory_mib: 64, last_line };
        Failure::Exited { service: "db".to_owned(), exit }
    }

    #[test]
    fn a_person_understands_what_went_wrong() {
        let (web, seconds) = ("web".to_owned(), Duration::from_secs(20));
        let (image, said) = ("spaceport/hello:9".to_owned(), "not found".to_owned());
        let path = "/healthz".to_owned();
        #[rustfmt::skip]
        let rows = [
            (Failure::ImageNotFound { image, said },
                "image not found: spaceport/hello:9 is not on this host, and could not be pulled (not found)"),
            (exit(3, false, None),                "db exited with code 3"),
            (exit(1, false, Some("no password")), "db exited with code 1 (last line: no password)"),
            (exit(137, true, Some("working")),    "out of memory: db was killed at its limit of 64 MiB"),
            (exit(137, false, None),
                "db was killed, most likely out of memory: its limit is 64 MiB"),
            (Failure::NotReady { service: web.clone(), path, port: 8080, patience: seconds },
                "port never answered: web did not answer GET /healthz on port 8080 within 20 s"),
            (Failure::NotHealthy { service: web, patience: seconds },
                "web did not become healthy within 20 s"),
            (Failure::CheckFailed { service: "temporal".to_owned(), patience: seconds },
                "temporal is not ready: its check did not pass within 20 s"),
            (Failure::FirstAdmin { status: Some(400), said: "closed".to_owned() },
                "the first admin could not be made: the app answers 400 (closed)"),
            (Failure::FirstAdmin { status: Some(500), said: String::new() },
                "the first admin could not be made: the app answers 500"),
            (Failure::FirstAdmin { status: None, said: "no answer within 10 s".to_owned() },
                "the first admin could not be made: no answer within 10 s"),
            (Failure::NotBackedUp { doing: "written", said: "no space left".to_owned() },
                "the final backup could not be written: no space left"),
            (Failure::NoFreeNetwork { pool: "10.0.0.0/28".to_owned() },
                "no free network in the pool 10.0.0.0/28"),
            (Failure::Foreign { kind: "volume", name: "spc-1-data".to_owned() },
                "there is a volume spc-1-data that is not this space's; it is left alone"),
            (Failure::AppUnknown { app: "postiz".to_owned() }, "this host has no app postiz"),
            (Failure::Lost(Blocked::VolumeLost("data".to_owned())),
                "the volume data with the data of this space is gone; an operator must look"),
            (Failure::Lost(Blocked::SecretsLost),
                "the secrets of this space are gone; an operator must look"),
            (Failure::Docker { doing: "start web".to_owned(), said: "no such file".to_owned() },
                "Docker could not start web: no such file"),
            (Failure::Host { doing: "create web".to_owned(), said: "disk full".to_owned() },
                "the Docker Engine of this host could not create web: disk full"),
        ];
        for (failure, want) in rows {
            assert_eq!(failure.to_string(), want);
        }
    }

    #[test]
    fn who_was_waited_for_is_who_is_named() {
        let patience = Duration::from_secs(20);
        let not_ready = || Failure::NotReady {
            service: "web".to_owned(),
            path: "/".to_owned(),
            port: 80,
            patience,
        };
        let checked = |service: Option<&str>| ObservedStack {
            check_failing: service.map(str::to_owned),
            ..ObservedStack::default()
        };
        let said = |failure: Failure, service| failure.given(&checked(service)).to_string();
        let not_healthy = Failure::NotHealthy { service: "db".to_owned(), patience };
        assert!(said(not_ready(), None).starts_with("port never answered: web"));
        assert!(said(not_ready(), Some("temporal")).starts_with("temporal is not ready"));
        assert!(said(not_healthy, Some("temporal")).starts_with("db did not become healthy"));
    }
}

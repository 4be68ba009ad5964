//! The steps there are, and what there is to wait for.

/// One idempotent step. Taking it twice is the same as taking it once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Make and keep the space's secrets.
    WriteSecrets,
    /// Make the network.
    CreateNetwork,
    /// Make this volume.
    CreateVolume(String),
    /// Get the image of this service.
    PullImage(String),
    /// Make a container for this service.
    CreateContainer(String),
    /// Start the container of this service.
    StartContainer(String),
    /// Let the frozen container of this service go on.
    UnpauseContainer(String),
    /// Put a service of the host into the space's network, under this name.
    ConnectShared(String),
    /// Have the services of the host prepared for the space: a database of its own, say.
    PrepareShared,
    /// Make the account of the space's first admin.
    CreateFirstAdmin,
    /// Put on record that the space is ready, so that its volumes hold data of this release from
    /// now on.
    MarkReady,
    /// Stop the container of this service, in its own time.
    StopContainer(String),
    /// Make the final backup of what it holds, and verify it.
    BackUp,
    /// Remove the container of this service, whatever it does.
    RemoveContainer(String),
    /// Have removed what the services of the host keep of the space. Cannot be undone.
    RemoveShared,
    /// Take a service of the host out of the space's network.
    DisconnectShared(String),
    /// Remove the network.
    RemoveNetwork,
    /// Remove this volume. Cannot be undone.
    RemoveVolume(String),
    /// Remove what the worker keeps of the space: its secrets, and that it was ready.
    RemoveFiles,
    /// Keep a copy of all volumes, and put on record that the update to this release is tried.
    SaveData,
    /// Put on record that the data is of this release now, and drop the copy.
    CommitUpdate,
    /// Put on record that this release is no use, for this reason, so that the update is undone.
    /// Nothing is to be done if the data is of this release already.
    RejectUpdate(String),
    /// Make all volumes what they were when the copy was kept, and put on record that the update
    /// was undone.
    RestoreData,
}

/// What there is nothing to do about but wait for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waiting {
    /// Docker's health check of this service.
    Healthy(String),
    /// The web service's first good answer.
    Ready,
    /// Docker, which is removing the container of this service.
    Removed(String),
    /// This service of the host.
    Shared(String),
}

impl Step {
    /// The step as people see it: `create-network`, `start-db`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::WriteSecrets => "write-secrets".to_owned(),
            Self::CreateNetwork => "create-network".to_owned(),
            Self::CreateVolume(volume) => format!("create-volume-{volume}"),
            Self::PullImage(service) => format!("pull-image-{service}"),
            Self::CreateContainer(service) => format!("create-{service}"),
            Self::StartContainer(service) => format!("start-{service}"),
            Self::UnpauseContainer(service) => format!("unpause-{service}"),
            Self::ConnectShared(name) => format!("connect-{name}"),
            Self::PrepareShared => "prepare-shared".to_owned(),
            Self::CreateFirstAdmin => "create-first-admin".to_owned(),
            Self::MarkReady => "ready".to_owned(),
            Self::StopContainer(service) => format!("stop-{service}"),
            Self::BackUp => "back-up".to_owned(),
            Self::RemoveContainer(service) => format!("remove-{service}"),
            Self::RemoveShared => "remove-shared".to_owned(),
            Self::DisconnectShared(name) => format!("disconnect-{name}"),
            Self::RemoveNetwork => "remove-network".to_owned(),
            Self::RemoveVolume(volume) => format!("remove-volume-{volume}"),
            Self::RemoveFiles => "remove-files".to_owned(),
            Self::SaveData => "save-data".to_owned(),
            Self::CommitUpdate => "commit-update".to_owned(),
            Self::RejectUpdate(_) => "reject-update".to_owned(),
            Self::RestoreData => "restore-data".to_owned(),
        }
    }
}

impl Waiting {
    /// The wait as people see it: `healthy-db`, `ready`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Healthy(service) => format!("healthy-{service}"),
            Self::Ready => "ready".to_owned(),
            Self::Removed(service) => format!("remove-{service}"),
            Self::Shared(name) => format!("shared-{name}"),
        }
    }
}

//! What the keeper has to do with credentials: it knows what the account is called.

use std::sync::Arc;

use apps::expand_text;
use domain::{Desired, SpaceId};
use futures::{FutureExt as _, future::BoxFuture};
use reconcile::{ContainerRuntime, Target};
use tokio::sync::Mutex;

use super::Keeper;
use crate::{
    credentials::{CredentialSource, Credentials, CredentialsError, TicketUse},
    files::{FilesError, SpaceFiles},
    wish,
};

/// The credentials of the spaces of one host.
pub(crate) struct SpaceCredentials<R> {
    keeper: Arc<Keeper<R>>,
    files: SpaceFiles,
    /// Held from the look at who took them until it is on record.
    taking: Mutex<()>,
}

impl<R: ContainerRuntime + Send + Sync + 'static> SpaceCredentials<R> {
    /// Those of the keeper's spaces, of which `files` are kept.
    pub(crate) fn new(keeper: Arc<Keeper<R>>, files: SpaceFiles) -> Self {
        Self { keeper, files, taking: Mutex::default() }
    }

    async fn find(&self, space: &SpaceId) -> Result<Credentials, CredentialsError> {
        let keeper = &self.keeper;
        let wish = keeper.state().spaces.get(space).map(|it| Arc::clone(&it.wish));
        let wish = wish.filter(|it| it.desired != Desired::Deleted);
        let wish = wish.ok_or(CredentialsError::NotReady)?;
        let seen = self.files.look(space)?;
        let standing = (seen.release, seen.update.map(|it| it.record()));
        let stack = wish::stack(&wish, Target::Running, &standing, &keeper.templates)
            .map_err(|_| CredentialsError::NotReady)?;
        let template = keeper.templates.releases.get(&stack.app, &stack.release);
        let template = template.ok_or(CredentialsError::NotReady)?;
        let Some(admin) = &template.first_admin else { return Err(CredentialsError::None) };
        match (seen.was_ready, seen.has_first_admin) {
            (false, _) => return Err(CredentialsError::NotReady),
            // It is of an earlier release, which had none.
            (true, false) => return Err(CredentialsError::None),
            (true, true) => {}
        }
        let mut values = stack.values;
        values.extend(self.files.secrets(space).await?);
        let username = expand_text(&admin.username, &values)
            .map_err(|it| CredentialsError::Unavailable(it.into()))?;
        let password = values.remove(&admin.password).ok_or(FilesError::Sealed)?;
        Ok(Credentials { username, password, url: wish.url.clone() })
    }
}

impl<R: ContainerRuntime + Send + Sync + 'static> CredentialSource for SpaceCredentials<R> {
    fn take<'a>(
        &'a self,
        space: &'a SpaceId,
        ticket: &'a TicketUse,
    ) -> BoxFuture<'a, Result<Credentials, CredentialsError>> {
        async move {
            let credentials = self.find(space).await?;
            let _alone = self.taking.lock().await;
            let holder = self.files.take_credentials(space, ticket).await?;
            if holder.sha256 == ticket.sha256 {
                tracing::info!(space.id = %space, "credentials are handed out");
                Ok(credentials)
            } else {
                Err(CredentialsError::Taken { until: holder.until })
            }
        }
        .boxed()
    }
}

impl From<FilesError> for CredentialsError {
    fn from(error: FilesError) -> Self {
        Self::Unavailable(error.into())
    }
}

#[cfg(test)]
mod tests;

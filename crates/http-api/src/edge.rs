//! What every route has at hand.

use std::sync::{Arc, OnceLock};

use records::{Database, MigrateError, Records};

use crate::{config::Config, error::ApiError, platform::Platform};

/// The configuration and the world, shared by all requests of a component's instance.
pub struct Edge<P> {
    /// What the operator configured.
    pub config: Config,
    /// The world.
    pub platform: Arc<P>,
    /// Set once this instance has seen the schema up to date.
    migrated: OnceLock<()>,
}

impl<P: Platform> Edge<P> {
    /// An edge over `platform`.
    pub fn new(config: Config, platform: Arc<P>) -> Arc<Self> {
        Arc::new(Self { config, platform, migrated: OnceLock::new() })
    }

    /// Opens the records, and brings them up to date if this instance has not seen that yet.
    pub(crate) async fn records(&self) -> Result<Records<impl Database + use<P>>, ApiError> {
        let records = Records::new(self.platform.database().await?);
        if self.migrated.get().is_none() {
            records.migrate(self.platform.now()).await?;
            let _ = self.migrated.set(());
        }
        Ok(records)
    }
}

impl From<MigrateError> for ApiError {
    fn from(error: MigrateError) -> Self {
        Self::store(error)
    }
}

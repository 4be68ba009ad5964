//! What a port does not say: commands that end with 0 when the services behind the web service are
//! ready, too.

use std::{collections::BTreeMap, time::Duration};

use apps::Check;
use reconcile::DesiredStack;

use super::Engine;

/// How long a check may take. One of a program that has to start and ask over the network takes a
/// second on a busy host.
const CHECK_TIME_MAX: Duration = Duration::from_secs(10);

impl Engine {
    /// The service of the first check of the template that does not pass; none if all pass.
    pub(super) async fn failing_check(&self, desired: &DesiredStack) -> Option<String> {
        let checks = self.template(desired).map_or(&[][..], |it| &it.ready.checks);
        let first = checks.first()?;
        let env = match self.command_env(desired).await {
            Ok(env) => env,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(space.id = %desired.space, error, "could not check");
                return Some(first.service.clone());
            }
        };
        for check in checks {
            if !self.passes(desired, check, &env).await {
                return Some(check.service.clone());
            }
        }
        None
    }

    async fn passes(
        &self,
        desired: &DesiredStack,
        check: &Check,
        env: &BTreeMap<String, String>,
    ) -> bool {
        let Check { service, command } = check;
        let space = &desired.space;
        match self.exec(desired, service, command, env, CHECK_TIME_MAX).await {
            Ok(ran) if ran.code == 0 => true,
            Ok(ran) => {
                // Not what it says: that may be the tenant's.
                tracing::debug!(space.id = %space, service, code = ran.code, "a check fails");
                false
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::debug!(space.id = %space, service, error, "a check fails");
                false
            }
        }
    }
}

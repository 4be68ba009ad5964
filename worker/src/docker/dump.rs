//! What a space has in databases of its host, by the `pg_dump` of the database's own service.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Seek as _, Write as _},
};

use apps::{Database, Template, expand_text};
use bollard::{container::LogOutput, exec::StartExecResults};
use futures::StreamExt as _;
use reconcile::{DesiredStack, Failure};

use super::{
    Engine,
    backup::not_written,
    error::{failed, shown},
    exec::{STDERR_LEN_MAX, create, exit_code},
};

/// What came of a dump.
pub(super) enum Dump {
    /// All of it, from the beginning of a file without a name, and how many bytes that is.
    Whole(File, u64),
    /// There is no such database.
    NoDatabase,
}

impl Engine {
    /// The databases that a backup of the space has besides its volumes, by their keys.
    pub(super) fn shared_databases(template: &Template) -> impl Iterator<Item = (&str, &Database)> {
        let keys = template.backup.iter().flat_map(|it| &it.databases);
        keys.filter_map(|key| {
            let database = template.databases.get(key)?;
            let shared = template.shared.as_ref()?;
            shared.services.contains_key(&database.service).then_some((&**key, database))
        })
    }

    /// Dumps a database of the space into a file without a name on the disk of the backups.
    pub(super) async fn dump(
        &self,
        desired: &DesiredStack,
        key: &str,
        database: &Database,
    ) -> Result<Dump, Failure> {
        let values = BTreeMap::from([("SPACE_ID".to_owned(), desired.space.docker_name())]);
        let filled = |text| expand_text(text, &values).map_err(|it| refused(it.to_string()));
        let (user, name) = (filled(&database.user)?, filled(&database.name)?);
        let command = ["pg_dump", "-Fc", "-w", "-U", &user, "-d", &name].map(str::to_owned);
        // So that it can be understood what it says.
        let env = BTreeMap::from([("LC_ALL".to_owned(), "C".to_owned())]);

        let doing = || format!("dump the database {key}");
        let container = self.container_of(desired, &database.service);
        let command = create(&self.docker, &container, &command, &env).await;
        let command = command.map_err(|it| failed(doing(), it))?;
        let started = self.docker.start_exec(&command, None).await;
        let StartExecResults::Attached { mut output, .. } =
            started.map_err(|it| failed(doing(), it))?
        else {
            return Err(refused(format!("Docker does not say what {key} holds")));
        };
        let mut file =
            tempfile::tempfile_in(self.backups.shelf.folder()).map_err(|it| not_written(&it))?;
        let (mut bytes, mut stderr) = (0, Vec::new());
        while let Some(chunk) = output.next().await {
            match chunk.map_err(|it| failed(doing(), it))? {
                LogOutput::StdErr { message } => {
                    stderr.extend_from_slice(&message);
                    stderr.drain(..stderr.len().saturating_sub(STDERR_LEN_MAX));
                }
                chunk => {
                    let chunk = chunk.into_bytes();
                    // Blocking, but into the page cache.
                    file.write_all(&chunk).map_err(|it| not_written(&it))?;
                    bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                }
            }
        }
        let code = exit_code(&self.docker, &command).await.map_err(|it| failed(doing(), it))?;
        let stderr = String::from_utf8_lossy(&stderr);
        if code == 0 {
            file.rewind().map_err(|it| not_written(&it))?;
            return Ok(Dump::Whole(file, bytes));
        }
        if stderr.contains(&format!("database \"{name}\" does not exist")) {
            return Ok(Dump::NoDatabase);
        }
        let said = self.without_secrets(desired, &stderr).await.unwrap_or_default();
        Err(refused(format!("pg_dump of {key} ended with {code}: {}", shown(&said))))
    }
}

fn refused(said: String) -> Failure {
    Failure::NotBackedUp { doing: "written", said }
}

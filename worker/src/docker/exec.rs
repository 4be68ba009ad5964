//! Commands in the containers of spaces.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bollard::{
    Docker,
    container::LogOutput,
    errors::Error,
    exec::{CreateExecOptions, StartExecResults},
};
use futures::StreamExt as _;
use reconcile::{DesiredStack, Failure};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::{
    Engine,
    error::{failed, has_status, of_space},
    labels::object_name,
};
use crate::shared::stack_id;

/// How much of what a command writes to standard output is kept, in bytes: the first of it.
const STDOUT_LEN_MAX: usize = 64 * 1024;

/// How much of what it writes to standard error is kept, in bytes: the last of it.
pub(super) const STDERR_LEN_MAX: usize = 4 * 1024;

/// How many commands run at once on this host: more would only make each slower, until none of them
/// ends in its time.
const COMMANDS_AT_ONCE: usize = 8;

/// How long to wait until Docker knows how a command ended that has closed its streams.
const EXIT_PAUSE: Duration = Duration::from_millis(10);

/// What came of a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ran {
    /// What it ended with.
    pub(super) code: i64,
    /// The beginning of what it wrote to standard output, 64 KiB at most.
    pub(super) stdout: String,
    /// The end of what it wrote to standard error, 4 KiB at most.
    pub(super) stderr: String,
}

/// Why nothing came of a command.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExecError {
    /// Docker did not run it.
    #[error("Docker does not run it")]
    Docker(#[source] Error),
    /// It takes too long. It can't be ended from outside, so it is left alone.
    #[error("it did not end within {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// The commands of all spaces of a host.
#[derive(Debug)]
pub(super) struct Commands {
    places: Semaphore,
    /// Those that took too long, by what they are, and what Docker calls them: as long as one of them
    /// runs, the same is not run again, so that they don't fill their container.
    left: Mutex<HashMap<u64, String>>,
    hasher: RandomState,
}

impl Commands {
    pub(super) fn new() -> Self {
        let places = Semaphore::new(COMMANDS_AT_ONCE);
        Self { places, left: Mutex::default(), hasher: RandomState::new() }
    }

    /// Runs a command in a container, with these variables besides the container's own, for at most
    /// `limit`. How it ended is for the caller to judge.
    pub(super) async fn run(
        &self,
        docker: &Docker,
        container: &str,
        command: &[String],
        env: &BTreeMap<String, String>,
        limit: Duration,
    ) -> Result<Ran, ExecError> {
        let _place = self.places.acquire().await.expect("nobody closes it");
        let key = self.hasher.hash_one((container, command, env));
        let left = self.left().get(&key).cloned();
        if let Some(left) = left {
            match docker.inspect_exec(&left).await {
                Ok(it) if it.running == Some(true) => return Err(ExecError::TimedOut(limit)),
                Err(error) if !has_status(&error, 404) => return Err(ExecError::Docker(error)),
                Ok(_) | Err(_) => _ = self.left().remove(&key),
            }
        }
        let command = create(docker, container, command, env).await.map_err(ExecError::Docker)?;
        if let Ok(ran) = timeout(limit, attend(docker, &command)).await {
            return ran.map_err(ExecError::Docker);
        }
        self.left().insert(key, command);
        Err(ExecError::TimedOut(limit))
    }

    fn left(&self) -> MutexGuard<'_, HashMap<u64, String>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Runs a command of the template in the container of `service`, for at most `limit`.
    ///
    /// # Errors
    /// [`Failure::Docker`] also if the container does not run or the command takes too long: both are
    /// the space's business and not the host's.
    pub(super) async fn exec(
        &self,
        desired: &DesiredStack,
        service: &str,
        command: &[String],
        env: &BTreeMap<String, String>,
        limit: Duration,
    ) -> Result<Ran, Failure> {
        let container = self.container_of(desired, service);
        match self.commands.run(&self.docker, &container, command, env, limit).await {
            Ok(ran) => Ok(ran),
            Err(error) => {
                let program = command.first().map_or("nothing", String::as_str);
                let doing = format!("run {program} in {service}");
                Err(match error {
                    ExecError::Docker(error) => of_space(failed(doing, error)),
                    ExecError::TimedOut(_) => Failure::Docker { doing, said: error.to_string() },
                })
            }
        }
    }

    /// The name of the container of `service`, which is one of the stack's own or what the space
    /// calls a service of the host.
    pub(super) fn container_of(&self, desired: &DesiredStack, service: &str) -> String {
        let shared = self.template(desired).ok().and_then(|it| it.shared.as_ref());
        match shared.and_then(|it| Some((&it.stack, it.services.get(service)?))) {
            Some((stack, real)) => object_name(&stack_id(self.labels.state_id(), stack), real),
            None => object_name(&desired.space, service),
        }
    }

    /// What a command of the template finds in its environment: what is said of the space, and its
    /// secrets.
    pub(super) async fn command_env(
        &self,
        desired: &DesiredStack,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let secrets = &self.template(desired)?.secrets;
        let mut values = self.values(desired).await?;
        values.retain(|name, _| name.starts_with("SPACE_") || secrets.contains_key(name));
        Ok(values)
    }
}

/// Makes a command in a container. Says what Docker calls it.
pub(super) async fn create(
    docker: &Docker,
    container: &str,
    command: &[String],
    env: &BTreeMap<String, String>,
) -> Result<String, Error> {
    let options = CreateExecOptions {
        cmd: Some(command.to_vec()),
        env: Some(env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..CreateExecOptions::default()
    };
    docker.create_exec(container, options).await.map(|it| it.id)
}

/// Starts a command and waits for its end.
async fn attend(docker: &Docker, command: &str) -> Result<Ran, Error> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    if let StartExecResults::Attached { mut output, .. } = docker.start_exec(command, None).await? {
        while let Some(chunk) = output.next().await {
            match chunk? {
                LogOutput::StdErr { message } => {
                    stderr.extend_from_slice(&message);
                    let excess = stderr.len().saturating_sub(STDERR_LEN_MAX);
                    stderr.drain(..excess);
                }
                chunk => {
                    let chunk = chunk.into_bytes();
                    let room = STDOUT_LEN_MAX.saturating_sub(stdout.len());
                    stdout.extend_from_slice(&chunk[..chunk.len().min(room)]);
                }
            }
        }
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = exit_code(docker, command).await?;
    Ok(Ran { code, stdout: text(&stdout), stderr: text(&stderr) })
}

/// What a command ended with that has closed its streams.
pub(super) async fn exit_code(docker: &Docker, command: &str) -> Result<i64, Error> {
    loop {
        let seen = docker.inspect_exec(command).await?;
        if let (Some(false), Some(code)) = (seen.running, seen.exit_code) {
            return Ok(code);
        }
        sleep(EXIT_PAUSE).await;
    }
}

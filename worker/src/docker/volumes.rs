//! What is in a volume: copied to a file, and back.
//!
//! Docker gives the files of a container that need not run, so a container that is never started
//! holds the volume. That works with any image, and wherever Docker keeps its volumes.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    time::Duration,
};

use bollard::{
    body_try_stream,
    models::{ContainerCreateBody, HostConfig, Mount, MountType},
    query_parameters::{
        CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, ListImagesOptions,
        RemoveContainerOptionsBuilder, RemoveVolumeOptions, UploadToContainerOptionsBuilder,
    },
};
use futures::StreamExt as _;
use reconcile::{DesiredStack, Failure};
use sha2::{Digest as _, Sha256};
use tokio_util::io::ReaderStream;

use super::{
    Engine,
    error::{failed, has_status},
    labels::object_name,
};
use crate::{files::FilesError, update_file::Copy};

/// The service that the container says it is for. No template has one of this name, so that what a
/// crash leaves of it is removed like any service that is not wanted.
const SERVICE: &str = "copy.of.a.volume";

/// Where the volume is in the container: nothing that an image would have something at, which
/// Docker would put into an empty volume.
pub(super) const MOUNTED_AT: &str = "/spaceport-volume";

/// How much of a copy is read at once, in bytes.
const CHUNK_LEN: usize = 1 << 18;

/// How long Docker may take for a whole volume: it answers when it is done.
pub(super) const COPY_TIME_MAX: Duration = Duration::from_hours(12);

/// How a tar archive ends, in bytes: two blocks of zeros.
const TAR_END_LEN: usize = 1024;

impl Engine {
    /// Copies `volume` to `file`.
    pub(super) async fn copy_volume(
        &self,
        desired: &DesiredStack,
        volume: &str,
        file: &Path,
    ) -> Result<Copy, Failure> {
        let doing = || format!("copy the volume {volume}");
        let holder = self.hold(desired, volume, true).await?;
        let options =
            DownloadFromContainerOptionsBuilder::new().path(&format!("{MOUNTED_AT}/.")).build();
        let patient = self.docker.clone().with_timeout(COPY_TIME_MAX);
        let mut chunks = patient.download_from_container(&holder, Some(options));
        let mut writer = Writer::create(file).map_err(|it| not_saved(&it))?;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|it| failed(doing(), it))?;
            // Blocking, but into the page cache; what reaches the disk is waited for elsewhere.
            writer.write(&chunk).map_err(|it| not_saved(&it))?;
        }
        let copied = tokio::task::spawn_blocking(move || writer.finish()).await;
        let (bytes, sha256) =
            copied.map_err(io::Error::other).flatten().map_err(|it| not_saved(&it))?;
        self.let_go(&holder).await?;
        Ok(Copy { volume: volume.to_owned(), bytes, sha256 })
    }

    /// Replaces `volume` by one with what is in `file`.
    pub(super) async fn replace_volume(
        &self,
        desired: &DesiredStack,
        volume: &str,
        file: &Path,
    ) -> Result<(), Failure> {
        self.remove_volume(desired, volume).await?;
        self.create_volume(desired, volume).await?;
        let holder = self.hold(desired, volume, false).await?;
        let file = tokio::fs::File::open(file).await.map_err(not_restored)?;
        let body = body_try_stream(ReaderStream::with_capacity(file, CHUNK_LEN));
        let options = UploadToContainerOptionsBuilder::new().path(MOUNTED_AT).build();
        let patient = self.docker.clone().with_timeout(COPY_TIME_MAX);
        let uploaded = patient.upload_to_container(&holder, Some(options), body).await;
        uploaded.map_err(|it| failed(format!("restore the volume {volume}"), it))?;
        self.let_go(&holder).await
    }

    /// Removes `volume`; success also if there is none.
    pub(super) async fn remove_volume(
        &self,
        desired: &DesiredStack,
        volume: &str,
    ) -> Result<(), Failure> {
        let name = object_name(&desired.space, volume);
        match self.docker.remove_volume(&name, None::<RemoveVolumeOptions>).await {
            Err(error) if !has_status(&error, 404) => {
                Err(failed(format!("remove the volume {volume}"), error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A container that has `volume` and never runs. Says what it is called.
    pub(super) async fn hold(
        &self,
        desired: &DesiredStack,
        volume: &str,
        read_only: bool,
    ) -> Result<String, Failure> {
        let name = object_name(&desired.space, SERVICE);
        // Of a worker that was killed, perhaps with another volume.
        self.let_go(&name).await?;
        let mount = Mount {
            typ: Some(MountType::VOLUME),
            source: Some(object_name(&desired.space, volume)),
            target: Some(MOUNTED_AT.to_owned()),
            read_only: Some(read_only),
            ..Mount::default()
        };
        let body = ContainerCreateBody {
            image: Some(self.image_for(desired).await?),
            // It is never run, and an image need not say what it would be.
            cmd: Some(vec!["none".to_owned()]),
            labels: Some(self.labels.container(desired, SERVICE)),
            host_config: Some(HostConfig {
                network_mode: Some("none".to_owned()),
                mounts: Some(vec![mount]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let made = self.docker.create_container(Some(options), body).await;
        made.map_err(|it| failed(format!("hold the volume {volume}"), it))?;
        Ok(name)
    }

    pub(super) async fn let_go(&self, holder: &str) -> Result<(), Failure> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match self.docker.remove_container(holder, Some(options)).await {
            Err(error) if !has_status(&error, 404) => {
                Err(failed("let go of a volume".to_owned(), error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Engine {
    /// An image for a container that never runs: one of the app's, or where none of those is here any
    /// more, any that is.
    async fn image_for(&self, desired: &DesiredStack) -> Result<String, Failure> {
        const DOING: &str = "find an image to hold a volume with";
        for service in &desired.services {
            match self.docker.inspect_image(&service.image).await {
                Ok(_) => return Ok(service.image.clone()),
                Err(error) if has_status(&error, 404) => {}
                Err(error) => return Err(failed(DOING, error)),
            }
        }
        let images = self.docker.list_images(None::<ListImagesOptions>).await;
        let any = images.map_err(|it| failed(DOING, it))?.into_iter().next();
        let said = "there is none on this host".to_owned();
        any.map(|it| it.id).ok_or_else(|| Failure::Host { doing: DOING.to_owned(), said })
    }
}

/// A file that is only ever read again if all of it was written.
struct Writer {
    file: std::fs::File,
    hash: Sha256,
    bytes: u64,
    /// The last bytes, as many as end a whole archive.
    tail: Vec<u8>,
}

impl Writer {
    fn create(path: &Path) -> io::Result<Self> {
        let mut options = std::fs::OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Self { file, hash: Sha256::new(), bytes: 0, tail: Vec::new() })
    }

    fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.file.write_all(chunk)?;
        self.hash.update(chunk);
        self.bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        self.tail.extend_from_slice(&chunk[chunk.len().saturating_sub(TAR_END_LEN)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAR_END_LEN));
        Ok(())
    }

    fn finish(self) -> io::Result<(u64, String)> {
        // A stream that broke off may look like one that ended.
        if self.tail.len() < TAR_END_LEN || self.tail.iter().any(|it| *it != 0) {
            return Err(io::Error::other("Docker did not give all of it"));
        }
        self.file.sync_all()?;
        Ok((self.bytes, domain::hex(&self.hash.finalize())))
    }
}

/// Whether `file` is the copy that was made.
pub(super) fn is_intact(file: &Path, copy: &Copy) -> io::Result<bool> {
    let mut file = std::fs::File::open(file)?;
    let (mut hash, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK_LEN]);
    loop {
        let len = file.read(&mut chunk)?;
        if len == 0 {
            break;
        }
        hash.update(&chunk[..len]);
        bytes += u64::try_from(len).unwrap_or(u64::MAX);
    }
    Ok(bytes == copy.bytes && domain::hex(&hash.finalize()) == copy.sha256)
}

pub(super) fn not_saved(error: &io::Error) -> Failure {
    Failure::NotSaved { said: error.to_string() }
}

pub(super) fn not_restored(error: io::Error) -> Failure {
    super::error::files("restore the data", FilesError::Io(error))
}

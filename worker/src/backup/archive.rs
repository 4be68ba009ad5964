//! Writes a backup: tar, then zstd, then age, into a file.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Read, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use age::{Encryptor, Recipient, stream::StreamWriter};
use tar::{Builder, EntryType, Header};
use zstd::Encoder;

use super::{
    ABOUT, About, BackupKey, CHUNK_LEN, MANIFEST, Token, Watched,
    copy_tar::{Hashed, copy_tar},
    entry::{Entry, Kind, Name},
    manifest::{Counter, Manifest, Noted},
    read_tar::BLOCK_LEN,
};

/// How hard zstd tries: as it does by itself.
const ZSTD_LEVEL: i32 = 3;

type Sealed = StreamWriter<BufWriter<Watched<File>>>;

/// A backup that is being written.
pub(crate) struct ArchiveWriter {
    tar: Builder<Encoder<'static, Sealed>>,
    about: About,
    missing: Vec<String>,
    noted: Noted,
}

impl ArchiveWriter {
    /// Begins a backup in the new file `part`, which `key` opens.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn create(
        part: &Path,
        key: &BackupKey,
        about: About,
        token: Token,
    ) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
        let file = BufWriter::with_capacity(CHUNK_LEN, token.watch(file));
        let recipient = key.recipient();
        let recipients = std::iter::once(&recipient as &dyn Recipient);
        let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
        let tar = Builder::new(Encoder::new(encryptor.wrap_output(file)?, ZSTD_LEVEL)?);
        let noted = Noted::new(part.parent().unwrap_or_else(|| Path::new("")))?;
        let mut it = Self { tar, about, missing: Vec::new(), noted };
        let text = serde_json::to_vec(&it.about)?;
        it.add_file(ABOUT, len_of(&text)?, &*text)?;
        Ok(it)
    }

    /// Adds what a volume holds, which comes as a tar archive.
    ///
    /// # Errors
    /// What the system says, also if the archive breaks off.
    pub(crate) fn add_volume(&mut self, volume: &str, archive: impl Read) -> io::Result<()> {
        let noted = &mut self.noted;
        copy_tar(archive, &format!("volumes/{volume}/"), &mut self.tar, |it| noted.add(it))
    }

    /// Adds what `pg_dump` wrote of a database.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn add_database(
        &mut self,
        key: &str,
        bytes: u64,
        dump: impl Read,
    ) -> io::Result<()> {
        self.add_file(&format!("databases/{key}.dump"), bytes, dump)
    }

    /// Puts on record that a volume is gone.
    pub(crate) fn miss_volume(&mut self, volume: &str) {
        self.missing.push(format!("volumes/{volume}"));
    }

    /// Puts on record that a database is gone.
    pub(crate) fn miss_database(&mut self, key: &str) {
        self.missing.push(format!("databases/{key}"));
    }

    /// Adds the manifest. All is on the disk when this returns.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.noted.end()?;
        let Self { mut tar, about, missing, noted } = self;
        let manifest = Manifest { about: &about, missing: &missing, entries: &noted };
        let mut counter = Counter::default();
        serde_json::to_writer(&mut counter, &manifest)?;
        let out = tar.get_mut();
        out.write_all(header(&about, MANIFEST, counter.0)?.as_bytes())?;
        serde_json::to_writer(&mut *out, &manifest)?;
        let padding = counter.0.next_multiple_of(BLOCK_LEN) - counter.0;
        io::copy(&mut io::repeat(0).take(padding), out)?;
        let file = tar.into_inner()?.finish()?.finish()?.into_inner()?;
        file.inner.sync_all()?;
        // So that it is read back from where it was written to.
        rustix::fs::fadvise(&file.inner, 0, None, rustix::fs::Advice::DontNeed)?;
        Ok(())
    }

    fn add_file(&mut self, path: &str, bytes: u64, contents: impl Read) -> io::Result<()> {
        let mut hashed = Hashed::new(contents.take(bytes));
        self.tar.append(&header(&self.about, path, bytes)?, &mut hashed)?;
        if hashed.bytes != bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.noted.add(&Entry {
            path: Name(path.as_bytes().to_vec()),
            kind: Kind::File,
            bytes,
            sha256: Some(hashed.finish()),
            target: None,
        })
    }
}

/// The header of a file of our own.
fn header(about: &About, path: &str, bytes: u64) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(path)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::try_from(about.created_at.unix_s()).unwrap_or(0));
    header.set_size(bytes);
    header.set_cksum();
    Ok(header)
}

fn len_of(bytes: &[u8]) -> io::Result<u64> {
    u64::try_from(bytes.len()).map_err(io::Error::other)
}

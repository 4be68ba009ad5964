//! The manifest: what is in a backup, and what should have been.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _},
    path::Path,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
    ser::{Error as _, SerializeSeq as _},
};

use super::{
    about::About,
    entry::{Digest, Entry},
};

/// The manifest as it is written.
#[derive(Serialize)]
pub(super) struct Manifest<'a> {
    pub(super) about: &'a About,
    /// What should be in it and is gone: `volumes/data`, `databases/main`.
    pub(super) missing: &'a [String],
    pub(super) entries: &'a Noted,
}

/// The manifest as it is read: of the entries no more than can be compared.
#[derive(Deserialize)]
pub(super) struct ReadManifest {
    pub(super) about: About,
    pub(super) missing: Vec<String>,
    pub(super) entries: Digest,
}

/// The entries so far, one a line of a file without a name: there may be millions.
pub(super) struct Noted(BufWriter<File>);

impl Noted {
    /// None yet, on the disk of `folder`.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        tempfile::tempfile_in(folder).map(|it| Self(BufWriter::new(it)))
    }

    pub(super) fn add(&mut self, entry: &Entry) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, entry)?;
        self.0.write_all(b"\n")
    }

    /// To be called before it is read.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Serialize for Noted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut file = self.0.get_ref();
        file.rewind().map_err(S::Error::custom)?;
        let mut entries = serializer.serialize_seq(None)?;
        for line in BufReader::new(file).lines() {
            let entry: Entry =
                serde_json::from_str(&line.map_err(S::Error::custom)?).map_err(S::Error::custom)?;
            entries.serialize_element(&entry)?;
        }
        entries.end()
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Digest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Digest, A::Error> {
                let mut digest = Digest::default();
                while let Some(entry) = entries.next_element::<Entry>()? {
                    digest.add(&entry);
                }
                Ok(digest)
            }
        }

        deserializer.deserialize_seq(Entries)
    }
}

/// A writer that only counts.
#[derive(Default)]
pub(super) struct Counter(pub(super) u64);

impl io::Write for Counter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0 += u64::try_from(buf.len()).unwrap_or(u64::MAX);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

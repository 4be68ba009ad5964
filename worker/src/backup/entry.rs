//! What a backup says of each thing that is in it.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use tar::EntryType;

/// One thing in a backup, as its manifest has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) path: Name,
    pub(super) kind: Kind,
    pub(super) bytes: u64,
    /// Of the contents of a file, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<Name>,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    File,
    Directory,
    Symlink,
    HardLink,
    /// A device or a pipe.
    Special,
}

impl Kind {
    /// What tar calls it.
    pub(super) const fn of(entry_type: EntryType) -> Self {
        match entry_type {
            EntryType::Directory => Self::Directory,
            EntryType::Symlink => Self::Symlink,
            EntryType::Link => Self::HardLink,
            EntryType::Char | EntryType::Block | EntryType::Fifo => Self::Special,
            _ => Self::File,
        }
    }
}

/// A name in a file system: text, or `{"hex": "…"}` where it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(pub(super) Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenName {
    Text(String),
    Bytes { hex: String },
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match std::str::from_utf8(&self.0) {
            Ok(text) => return serializer.serialize_str(text),
            Err(_) => WrittenName::Bytes { hex: domain::hex(&self.0) },
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match WrittenName::deserialize(deserializer)? {
            WrittenName::Text(text) => Ok(Self(text.into_bytes())),
            WrittenName::Bytes { hex } => {
                bytes_of(&hex).map(Self).ok_or_else(|| de::Error::custom("no hexadecimal"))
            }
        }
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok()).collect()
}

/// All entries in their order, in so many bytes as one.
#[derive(Clone, Debug, Default)]
pub(super) struct Digest {
    hash: Sha256,
    /// How many there are.
    pub(super) n_entries: u64,
    /// How many bytes they have.
    pub(super) bytes: u64,
}

impl Digest {
    pub(super) fn add(&mut self, entry: &Entry) {
        let line = serde_json::to_vec(entry).expect("text and numbers can be written");
        self.hash.update(line);
        self.hash.update(b"\n");
        self.n_entries += 1;
        self.bytes = self.bytes.saturating_add(entry.bytes);
    }

    /// Whether these are the same entries in the same order.
    pub(super) fn equals(self, other: Self) -> bool {
        self.n_entries == other.n_entries && self.hash.finalize() == other.hash.finalize()
    }
}

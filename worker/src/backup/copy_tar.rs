//! The tar archive of a volume, copied entry by entry under a name of its own.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use super::{
    entry::{Entry, Kind, Name},
    read_tar::{Member, TarReader},
};

/// The longest name that a header has room for, in bytes.
const NAME_LEN_MAX: usize = 100;

/// Where a header has the name, where a link leads, and the beginning of a longer name.
const NAME_AT: std::ops::Range<usize> = 0..NAME_LEN_MAX;
const LINK_AT: std::ops::Range<usize> = 157..157 + NAME_LEN_MAX;
const PREFIX_AT: std::ops::Range<usize> = 345..500;

/// What an entry is called that has the name of the next one.
const LONG_LINK: &[u8] = b"././@LongLink";

/// Copies all entries of the archive `from` to `to`, with `prefix` before their names. Owners, modes,
/// times, links and extended attributes stay what they are. `note` is told of each.
///
/// # Errors
/// What the system says, also if the archive breaks off.
pub(super) fn copy_tar<W: Write>(
    from: impl Read,
    prefix: &str,
    to: &mut Builder<W>,
    mut note: impl FnMut(&Entry) -> io::Result<()>,
) -> io::Result<()> {
    let mut archive = TarReader::new(from);
    while let Some(member) = archive.next().map_err(broke_off)? {
        note(&copy_member(member, &mut archive, prefix, to)?)?;
    }
    Ok(())
}

/// A stream that broke off is Docker's, and not the backup's.
fn broke_off(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::other("Docker did not give all of it"),
        _ => error,
    }
}

fn copy_member<W: Write>(
    member: Member,
    contents: impl Read,
    prefix: &str,
    to: &mut Builder<W>,
) -> io::Result<Entry> {
    let Member { mut header, path, target, attributes, bytes } = member;
    let kind = Kind::of(header.entry_type());
    let path = under(prefix, &path)?;
    let target = match target {
        // The name of another member, which has the prefix by now.
        Some(target) if kind == Kind::HardLink => Some(under(prefix, &target)?),
        target => target,
    };
    to.append_pax_extensions(attributes.iter().map(|(key, value)| (&**key, &**value)))?;
    if header.as_ustar().is_some() {
        header.as_mut_bytes()[PREFIX_AT].fill(0);
    }
    set_name(&mut header, NAME_AT, &path, EntryType::GNULongName, to)?;
    set_name(&mut header, LINK_AT, target.as_deref().unwrap_or(b""), EntryType::GNULongLink, to)?;
    header.set_size(bytes);
    header.set_cksum();
    let mut hashed = Hashed::new(contents);
    to.append(&header, &mut hashed).map_err(broke_off)?;
    let sha256 = (kind == Kind::File).then(|| hashed.finish());
    Ok(Entry { path: Name(path), kind, bytes, sha256, target: target.map(Name) })
}

/// Writes `name` into `header`, and if it does not fit there, before it.
fn set_name<W: Write>(
    header: &mut Header,
    at: std::ops::Range<usize>,
    name: &[u8],
    long: EntryType,
    to: &mut Builder<W>,
) -> io::Result<()> {
    if NAME_LEN_MAX < name.len() {
        let with_end = [name, b"\0"].concat();
        let mut long_header = Header::new_gnu();
        long_header.as_mut_bytes()[..LONG_LINK.len()].copy_from_slice(LONG_LINK);
        long_header.set_entry_type(long);
        long_header.set_mode(0o644);
        long_header.set_size(u64::try_from(with_end.len()).map_err(io::Error::other)?);
        long_header.set_cksum();
        to.append(&long_header, &*with_end)?;
    }
    let (len, field) = (name.len().min(NAME_LEN_MAX), &mut header.as_mut_bytes()[at]);
    field.fill(0);
    field[..len].copy_from_slice(&name[..len]);
    Ok(())
}

/// `name`, which is relative, below `prefix`.
fn under(prefix: &str, name: &[u8]) -> io::Result<Vec<u8>> {
    let mut parts = name.split(|it| *it == b'/');
    if name.starts_with(b"/") || parts.any(|it| it == b"..") {
        return Err(io::Error::other("a volume has a name that leads out of it"));
    }
    let name = match name {
        b"." => b"",
        name => name.strip_prefix(b"./").unwrap_or(name),
    };
    Ok([prefix.as_bytes(), name].concat())
}

/// A reader that hashes what is read.
pub(super) struct Hashed<R> {
    inner: R,
    hash: Sha256,
    /// How much was read.
    pub(super) bytes: u64,
}

impl<R: Read> Hashed<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    /// The hash, in hexadecimal.
    pub(super) fn finish(self) -> String {
        domain::hex(&self.hash.finalize())
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buf)?;
        self.hash.update(&buf[..len]);
        self.bytes += u64::try_from(len).unwrap_or(u64::MAX);
        Ok(len)
    }
}

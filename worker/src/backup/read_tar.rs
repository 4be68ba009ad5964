//! Reads a tar archive member by member.
//!
//! The reader of the crate `tar` takes a line break in a name or an attribute for the end of it, and
//! then the archive for a broken one.

use std::{
    io::{self, Read},
    str,
};

use tar::{EntryType, Header};

/// What the length of everything in a tar archive is a multiple of, in bytes.
pub(super) const BLOCK_LEN: u64 = 512;

/// How long a name, or all attributes of a member, may be, in bytes.
const EXTENSION_LEN_MAX: u64 = 1 << 20;

/// An archive, and as a reader what is in the member that came last.
pub(super) struct TarReader<R> {
    inner: R,
    /// How much of that member is to come, and what fills its last block.
    left: u64,
    padding: u64,
}

/// A member of an archive.
pub(super) struct Member {
    /// Its header. What it says of name, target and size may not be all of it.
    pub(super) header: Header,
    pub(super) path: Vec<u8>,
    /// Where a link leads.
    pub(super) target: Option<Vec<u8>>,
    /// What else is said of it, besides its name, its target and its size.
    pub(super) attributes: Vec<(String, Vec<u8>)>,
    pub(super) bytes: u64,
}

/// What stands before a member and is said of it.
#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    bytes: Option<u64>,
    attributes: Vec<(String, Vec<u8>)>,
}

impl<R: Read> TarReader<R> {
    pub(super) const fn new(inner: R) -> Self {
        Self { inner, left: 0, padding: 0 }
    }

    /// The next member; `None` at the end of the archive. Nothing may follow that.
    ///
    /// # Errors
    /// What the system says, also if the archive breaks off.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let mut extensions = Extensions::default();
        loop {
            io::copy(&mut *self, &mut io::sink())?;
            self.skip(self.padding)?;
            self.padding = 0;
            let Some(header) = self.header()? else { return self.end().map(|()| None) };
            let kind = header.entry_type();
            match kind {
                EntryType::GNULongName => extensions.path = Some(self.name(&header)?),
                EntryType::GNULongLink => extensions.target = Some(self.name(&header)?),
                EntryType::XHeader => extensions.take(&self.extension(&header)?)?,
                // Says what it was made of, and nothing of members.
                EntryType::XGlobalHeader => self.begin(header.entry_size()?),
                EntryType::GNUSparse => return Err(malformed()),
                _ => {
                    let member = extensions.member(header)?;
                    self.begin(member.bytes);
                    return Ok(Some(member));
                }
            }
        }
    }

    const fn begin(&mut self, bytes: u64) {
        self.left = bytes;
        self.padding = (BLOCK_LEN - bytes % BLOCK_LEN) % BLOCK_LEN;
    }

    /// The next header; `None` if that is of zeros.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut header = Header::new_old();
        self.inner.read_exact(header.as_mut_bytes())?;
        let bytes = header.as_bytes();
        if bytes.iter().all(|it| *it == 0) {
            return Ok(None);
        }
        let mut summed = header.clone();
        summed.set_cksum();
        if summed.cksum()? == header.cksum()? { Ok(Some(header)) } else { Err(malformed()) }
    }

    /// The second block of zeros, and nothing else but such blocks.
    fn end(&mut self) -> io::Result<()> {
        let mut block = [0; 512];
        self.inner.read_exact(&mut block)?;
        loop {
            if block.iter().any(|it| *it != 0) {
                return Err(malformed());
            }
            if self.inner.read(&mut block[..1])? == 0 {
                return Ok(());
            }
            self.inner.read_exact(&mut block[1..])?;
        }
    }

    fn name(&mut self, header: &Header) -> io::Result<Vec<u8>> {
        let mut name = self.extension(header)?;
        if name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    fn extension(&mut self, header: &Header) -> io::Result<Vec<u8>> {
        let len = header.entry_size()?;
        if EXTENSION_LEN_MAX < len {
            return Err(malformed());
        }
        self.begin(len);
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn skip(&mut self, len: u64) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.inner).take(len), &mut io::sink())?;
        if skipped == len { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        if room == 0 {
            return Ok(0);
        }
        let len = self.inner.read(&mut buf[..room])?;
        if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= u64::try_from(len).unwrap_or(self.left);
        Ok(len)
    }
}

impl Extensions {
    /// Takes records like `12 path=name\n`, whose number says how long they are.
    fn take(&mut self, mut records: &[u8]) -> io::Result<()> {
        while !records.is_empty() {
            let (record, rest) = split_record(records).ok_or_else(malformed)?;
            let equals = record.iter().position(|it| *it == b'=').ok_or_else(malformed)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.target = Some(value.to_vec()),
                b"size" => self.bytes = Some(number(value).ok_or_else(malformed)?),
                key => {
                    let key = str::from_utf8(key).map_err(io::Error::other)?;
                    self.attributes.push((key.to_owned(), value.to_vec()));
                }
            }
            records = rest;
        }
        Ok(())
    }

    fn member(self, header: Header) -> io::Result<Member> {
        let kind = header.entry_type();
        let is_link = kind.is_symlink() || kind.is_hard_link();
        let target = self.target.or_else(|| header.link_name_bytes().map(Into::into));
        let bytes = match self.bytes {
            Some(bytes) => bytes,
            None => header.entry_size()?,
        };
        Ok(Member {
            path: self.path.unwrap_or_else(|| header.path_bytes().into_owned()),
            target: target.filter(|_| is_link),
            attributes: self.attributes,
            bytes,
            header,
        })
    }
}

/// The first of `records` without its length and its line break, and the others.
fn split_record(records: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = records.iter().position(|it| *it == b' ')?;
    let len = usize::try_from(number(&records[..space])?).ok()?;
    let (record, rest) = records.split_at_checked(len)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    Some((record, rest))
}

fn number(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the archive is malformed")
}

//! Opens a backup, and remembers what went wrong below its contents.

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    rc::Rc,
};

use age::{DecryptError, Decryptor, stream::StreamReader};

use super::{BackupError, BackupKey, CHUNK_LEN, Token, Watched};

/// How an age file begins.
const AGE_MAGIC: &[u8] = b"age-encryption.org/v1\n";

const NO_AGE: &str = "it is no age file";

/// What was found wrong while it was read, before it is known what is wrong below.
pub(super) enum Wrong {
    /// It can't be unpacked: most likely for a reason that is known below.
    Unreadable,
    Foreign(&'static str),
    Format(u32),
    Mismatch(&'static str),
}

impl From<io::Error> for Wrong {
    fn from(_: io::Error) -> Self {
        Self::Unreadable
    }
}

/// A backup that was decrypted so far as it was read.
pub(super) struct Opened {
    inner: StreamReader<Source>,
    trouble: Trouble,
}

type Source = BufReader<Counted>;

/// The file, and how much of it was read.
struct Counted(Watched<File>, Trouble);

/// What is known of what went wrong below the contents.
#[derive(Clone, Default)]
pub(super) struct Trouble {
    of_file: Rc<Cell<Option<io::Error>>>,
    of_seal: Rc<Cell<Option<BackupError>>>,
    is_at_end: Rc<Cell<bool>>,
    path: Rc<PathBuf>,
}

impl Trouble {
    /// What `error` is, which may only be what comes of something below.
    pub(super) fn explain(&self, error: &Wrong) -> BackupError {
        if let Some(cause) = self.of_file.take() {
            return BackupError::Read { path: self.path.to_path_buf(), cause };
        }
        if let Some(error) = self.of_seal.take() {
            return error;
        }
        match *error {
            Wrong::Unreadable => BackupError::Foreign("what it holds can't be unpacked"),
            Wrong::Foreign(why) => BackupError::Foreign(why),
            Wrong::Format(format) => BackupError::Format(format),
            Wrong::Mismatch(why) => BackupError::Mismatch(why),
        }
    }
}

impl Opened {
    pub(super) fn trouble(&self) -> Trouble {
        self.trouble.clone()
    }
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf) {
            Ok(len) => {
                self.1.is_at_end.set(len == 0 && !buf.is_empty());
                Ok(len)
            }
            Err(error) => {
                let told = io::Error::new(error.kind(), "the file can't be read");
                self.1.of_file.set(Some(error));
                Err(told)
            }
        }
    }
}

impl Read for Opened {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf);
        if let Err(error) = &read {
            let what = match (error.kind(), self.trouble.is_at_end.get()) {
                (io::ErrorKind::UnexpectedEof, _) => BackupError::CutShort,
                (_, true) => BackupError::Damaged,
                (_, false) => BackupError::Altered,
            };
            self.trouble.of_seal.set(Some(what));
        }
        read
    }
}

/// Opens the backup `file` with `key`.
///
/// # Errors
/// [`BackupError`].
pub(super) fn open(file: &Path, key: &BackupKey, token: Token) -> Result<Opened, BackupError> {
    let cannot_read = |cause| BackupError::Read { path: file.to_owned(), cause };
    let trouble = Trouble { path: Rc::new(file.to_owned()), ..Trouble::default() };
    let opened = token.watch(File::open(file).map_err(cannot_read)?);
    let mut source = BufReader::with_capacity(CHUNK_LEN, Counted(opened, trouble.clone()));
    let begin = source.fill_buf().map_err(cannot_read)?;
    if !begin.starts_with(AGE_MAGIC) {
        let is_short = AGE_MAGIC.starts_with(begin);
        return Err(if is_short { BackupError::CutShort } else { BackupError::Foreign(NO_AGE) });
    }
    let decryptor = Decryptor::new_buffered(source).map_err(|it| sealed(it, file))?;
    let inner = decryptor.decrypt(std::iter::once(key.identity()));
    Ok(Opened { inner: inner.map_err(|it| sealed(it, file))?, trouble })
}

/// Why the header of an age file does not let us in.
fn sealed(error: DecryptError, file: &Path) -> BackupError {
    match error {
        DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed => BackupError::WrongKey,
        DecryptError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            BackupError::CutShort
        }
        DecryptError::Io(cause) => BackupError::Read { path: file.to_owned(), cause },
        _ => BackupError::Altered,
    }
}

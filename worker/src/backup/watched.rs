//! Files that are no longer read or written once nobody waits for it.

use std::{
    io::{self, Read, Write},
    sync::{Arc, Weak},
};

/// As long as it lives, work that was begun for its holder goes on: a thread can't be ended from
/// outside.
#[derive(Debug, Default)]
pub(crate) struct Alive(Arc<()>);

impl Alive {
    /// What a thread sees it by.
    pub(crate) fn token(&self) -> Token {
        Token(Arc::downgrade(&self.0))
    }
}

/// What a thread sees by whether somebody waits for it.
#[derive(Clone, Debug)]
pub(crate) struct Token(Weak<()>);

impl Token {
    /// `inner`, which fails from the moment on at which nobody waits any more.
    pub(crate) const fn watch<T>(self, inner: T) -> Watched<T> {
        Watched { inner, token: self }
    }
}

/// A reader or writer that fails once nobody waits for it.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    pub(super) inner: T,
    token: Token,
}

impl<T> Watched<T> {
    fn check(&self) -> io::Result<()> {
        match self.token.0.strong_count() {
            0 => Err(io::Error::other("nobody waits for it any more")),
            _ => Ok(()),
        }
    }
}

impl<T: Read> Read for Watched<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        self.inner.read(buf)
    }
}

impl<T: Write> Write for Watched<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.check()?;
        self.inner.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

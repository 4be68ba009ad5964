//! A clock that can be put forward, for one process and what it starts, by Debian's `faketime`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// A clock that runs as all do, from another time on. What only goes on (timers) is left alone.
#[derive(Debug)]
pub struct Clock {
    file: PathBuf,
    ahead_s: AtomicU64,
}

impl Clock {
    /// One that shows the time, kept in a file in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let clock = Self { file: folder.join("clock"), ahead_s: AtomicU64::new(0) };
        clock.put_forward(0);
        clock
    }

    /// Puts it forward by so many seconds more.
    pub fn put_forward(&self, seconds: u64) {
        let ahead_s = self.ahead_s.fetch_add(seconds, Ordering::Relaxed) + seconds;
        // The file is read at every look at the clock, and half of it would be another time.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("+{ahead_s}\n")).unwrap();
        fs::rename(new, &self.file).unwrap();
    }

    /// What it shows, in Unix seconds.
    #[must_use]
    pub fn now_s(&self) -> u64 {
        #[expect(clippy::disallowed_methods, reason = "it is a clock")]
        let now = SystemTime::now();
        now.duration_since(UNIX_EPOCH).unwrap().as_secs() + self.ahead_s.load(Ordering::Relaxed)
    }

    /// Has `command` look at it.
    pub fn give(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
}

fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().flatten();
    let found =
        folders.map(|it| it.path().join("faketime/libfaketimeMT.so.1")).find(|it| it.exists());
    found.expect("faketime is installed by scripts/setup --tests")
}

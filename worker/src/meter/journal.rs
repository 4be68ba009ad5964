//! What is kept of the meter: where it stands, and the readings that the edge has not taken.
//!
//! One SQLite file, so that a reading is there exactly if the counters that the next one starts from are.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{SpaceId, Timestamp};
use fleet::Reading;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, params};

use super::{
    cgroup::Counters,
    clock::Moment,
    tally::{Baselines, Tally},
};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS source (name TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS moment (
        id INTEGER PRIMARY KEY CHECK (id = 1), boot TEXT NOT NULL, uptime_ms INTEGER NOT NULL,
        wall_ms INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS spaces (space TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS readings (
        number INTEGER PRIMARY KEY AUTOINCREMENT, reading TEXT NOT NULL
    ) STRICT;
";

/// Longest id of a reading, and what stands between two readings, in bytes.
const ID_LEN_MAX: usize = 48;

/// Where the meter stands with one space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) baselines: Baselines,
    pub(crate) tally: Tally,
    /// Until when its posts were counted.
    pub(crate) posts_until: Option<Timestamp>,
    /// What it took of the disk when that was counted last, databases in shared services included.
    pub(crate) storage_kib: u64,
    /// What those took of it.
    pub(crate) shared_kib: u64,
}

/// Where the meter stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    /// When that was; none before the first time.
    pub(crate) moment: Option<Moment>,
    pub(crate) spaces: BTreeMap<SpaceId, Standing>,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Journal {
    connection: Mutex<Connection>,
    /// What the ids of its readings begin with.
    source: String,
}

/// It could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    /// The database did not do it.
    #[error("the meter's file can't be used")]
    Sqlite(#[from] rusqlite::Error),
    /// What is in it is none of ours.
    #[error("the meter's file can't be read")]
    Unreadable(#[from] serde_json::Error),
    /// Parts of it are not what they were.
    #[error("the meter's file is damaged: {said}")]
    Damaged {
        /// What SQLite says of it.
        said: String,
    },
    /// The system did not do it.
    #[error("the meter's file can't be put aside")]
    Io(#[from] io::Error),
}

impl JournalError {
    /// Whether it is about the disk, or somebody else who has the file, and not about what is in it.
    fn may_pass(&self) -> bool {
        let Self::Sqlite(error) = self else { return matches!(self, Self::Io(_)) };
        matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::CannotOpen
                    | ErrorCode::PermissionDenied
                    | ErrorCode::ReadOnly
                    | ErrorCode::DiskFull
                    | ErrorCode::OutOfMemory
            )
        )
    }
}

impl Journal {
    /// Opens the file at `path`. One that is damaged is put aside, and a new one begun: whoever has
    /// no meter still has spaces.
    ///
    /// # Errors
    /// [`JournalError`] if that can't be done either.
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        match Self::open_as_it_is(path) {
            Ok(journal) => Ok(journal),
            // What is in it is good, as far as anybody knows.
            Err(error) if error.may_pass() => Err(error),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the meter's file is damaged, and put aside");
                put_aside(path)?;
                Self::open_as_it_is(path)
            }
        }
    }

    fn open_as_it_is(path: &Path) -> Result<Self, JournalError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let said: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
        if said != "ok" {
            return Err(JournalError::Damaged { said });
        }
        connection.execute_batch(SCHEMA)?;
        let known = connection.query_row("SELECT name FROM source", [], |row| row.get(0));
        let source = if let Some(source) = known.optional()? {
            source
        } else {
            let mut random = [0_u8; 10];
            getrandom::fill(&mut random).map_err(io::Error::other)?;
            let source = domain::hex(&random);
            connection.execute("INSERT INTO source (name) VALUES (?)", [&source])?;
            source
        };
        let journal = Self { connection: Mutex::new(connection), source };
        // Now, and not at the first time that it matters.
        journal.stand()?;
        Ok(journal)
    }

    /// Where the meter stood when it last wrote.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn stand(&self) -> Result<Stand, JournalError> {
        let connection = self.connection();
        let moment =
            connection.query_row("SELECT boot, uptime_ms, wall_ms FROM moment", [], |row| {
                let uptime_ms: i64 = row.get(1)?;
                Ok(Moment {
                    boot: row.get(0)?,
                    uptime_ms: uptime_ms.unsigned_abs(),
                    wall: Timestamp::from_unix_ms(row.get(2)?),
                })
            });
        let moment = moment.optional()?;
        let mut statement = connection.prepare("SELECT space, state FROM spaces")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut spaces = BTreeMap::new();
        for row in rows {
            let (space, state): (String, String) = row?;
            let Ok(space) = space.parse() else { continue };
            spaces.insert(space, standing(&state)?);
        }
        Ok(Stand { moment, spaces })
    }

    /// Writes down where the meter stands, and `readings`, in one transaction. They get ids.
    ///
    /// # Errors
    /// [`JournalError`]; nothing is written then.
    pub(crate) fn write(
        &self,
        moment: &Moment,
        spaces: &BTreeMap<SpaceId, Standing>,
        readings: &[Reading],
    ) -> Result<(), JournalError> {
        failpoints::hit("worker:journal:before");
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute(
            "INSERT OR REPLACE INTO moment (id, boot, uptime_ms, wall_ms) VALUES (1, ?, ?, ?)",
            params![
                moment.boot,
                i64::try_from(moment.uptime_ms).unwrap_or(i64::MAX),
                moment.wall.unix_ms()
            ],
        )?;
        transaction.execute("DELETE FROM spaces", [])?;
        for (space, standing) in spaces {
            transaction
                .prepare_cached("INSERT INTO spaces (space, state) VALUES (?, ?)")?
                .execute(params![space.as_str(), text(standing)])?;
        }
        for reading in readings {
            transaction
                .prepare_cached("INSERT INTO readings (reading) VALUES (?)")?
                .execute([serde_json::to_string(reading)?])?;
        }
        transaction.commit()?;
        failpoints::hit("worker:journal:after");
        Ok(())
    }

    /// Readings that the edge has not taken and their numbers here, oldest first: those with greater
    /// numbers than `after`, at most `limit` of them, and no more than fit into so many bytes, or one.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn unsent(
        &self,
        after: i64,
        limit: u32,
        len_max: usize,
    ) -> Result<Vec<(i64, Reading)>, JournalError> {
        let connection = self.connection();
        let statement =
            "SELECT number, reading FROM readings WHERE ? < number ORDER BY number LIMIT ?";
        let mut statement = connection.prepare_cached(statement)?;
        let rows = statement.query_map((after, limit), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (mut readings, mut len) = (Vec::new(), 0_usize);
        for row in rows {
            let (number, text): (i64, String) = row?;
            len = len.saturating_add(text.len()).saturating_add(ID_LEN_MAX);
            if len_max < len && !readings.is_empty() {
                break;
            }
            let mut reading: Reading = serde_json::from_str(&text)?;
            reading.id = format!("{}-{number}", self.source);
            readings.push((number, reading));
        }
        Ok(readings)
    }

    /// How many readings the edge has not taken; 0 if that can't be read.
    pub(crate) fn n_unsent(&self) -> i64 {
        let statement = "SELECT count(*) FROM readings";
        self.connection().query_row(statement, [], |row| row.get(0)).unwrap_or(0)
    }

    /// Forgets readings that the edge has taken.
    ///
    /// # Errors
    /// [`JournalError`].
    pub(crate) fn forget(&self, numbers: &[i64]) -> Result<(), JournalError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for number in numbers {
            transaction
                .prepare_cached("DELETE FROM readings WHERE number = ?")?
                .execute([number])?;
        }
        Ok(transaction.commit()?)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renames the file and what SQLite keeps beside it: somebody may still find readings in them.
fn put_aside(path: &Path) -> io::Result<()> {
    let named = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(named(suffix), named(&format!(".damaged{suffix}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A standing as it is kept.
fn text(standing: &Standing) -> String {
    let Standing { baselines, tally, posts_until, storage_kib, shared_kib } = standing;
    let counters =
        |it: &Counters| [it.cpu_us, it.rx_bytes, it.tx_bytes, it.read_bytes, it.write_bytes];
    let baselines: BTreeMap<_, _> = baselines.iter().map(|it| (it.0, counters(it.1))).collect();
    let tally = [
        tally.elapsed_ms,
        tally.running_ms,
        tally.hibernated_ms,
        tally.cpu_us,
        tally.memory_kib_ms,
        tally.rx_bytes,
        tally.tx_bytes,
        tally.read_bytes,
        tally.write_bytes,
    ];
    let posts_until = posts_until.map(Timestamp::unix_ms);
    serde_json::json!([baselines, tally, posts_until, storage_kib, shared_kib]).to_string()
}

fn standing(text: &str) -> Result<Standing, serde_json::Error> {
    type Kept = (BTreeMap<String, [u64; 5]>, [u64; 9], Option<i64>, u64, u64);
    let (baselines, tally, posts_until, storage_kib, shared_kib): Kept =
        serde_json::from_str(text)?;
    let counters = |it: [u64; 5]| Counters {
        cpu_us: it[0],
        rx_bytes: it[1],
        tx_bytes: it[2],
        read_bytes: it[3],
        write_bytes: it[4],
    };
    Ok(Standing {
        baselines: baselines.into_iter().map(|(id, it)| (id, counters(it))).collect(),
        tally: Tally {
            elapsed_ms: tally[0],
            running_ms: tally[1],
            hibernated_ms: tally[2],
            cpu_us: tally[3],
            memory_kib_ms: tally[4],
            rx_bytes: tally[5],
            tx_bytes: tally[6],
            read_bytes: tally[7],
            write_bytes: tally[8],
        },
        posts_until: posts_until.map(Timestamp::from_unix_ms),
        storage_kib,
        shared_kib,
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    impl Journal {
        /// Writes readings down that are made up.
        pub(crate) fn write_readings(&self, readings: &[Reading]) {
            self.write(&moment(), &BTreeMap::new(), readings).unwrap();
        }
    }

    fn space(n: u8) -> SpaceId {
        SpaceId::new(Timestamp::from_unix_ms(0), [n; 10])
    }

    fn reading(posts: u64) -> Reading {
        let at = Timestamp::from_unix_ms(1_795_000_000_000);
        Reading {
            id: String::new(),
            space: space(1),
            from: at,
            to: at,
            seconds: 900,
            running_seconds: 900,
            hibernated_seconds: 0,
            cpu_ms: 1,
            memory_mib_seconds: 2,
            network_rx_bytes: 3,
            network_tx_bytes: 4,
            disk_read_bytes: 5,
            disk_write_bytes: 6,
            storage_kib: 7,
            posts,
        }
    }

    fn moment() -> Moment {
        let wall = Timestamp::from_unix_ms(5);
        Moment { boot: "b".to_owned(), uptime_ms: 7, wall }
    }

    #[test]
    fn what_is_written_is_there_after_a_restart_and_readings_keep_their_ids() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meter.sqlite");
        let counters = Counters { cpu_us: u64::MAX, ..Counters::default() };
        let standing = Standing {
            baselines: BTreeMap::from([("abc".to_owned(), counters)]),
            tally: Tally { elapsed_ms: 999, write_bytes: u64::MAX, ..Tally::default() },
            posts_until: Some(Timestamp::from_unix_ms(3)),
            storage_kib: 9,
            shared_kib: 4,
        };
        let spaces = BTreeMap::from([(space(1), standing), (space(2), Standing::default())]);
        let first = {
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.stand().unwrap(), Stand { moment: None, spaces: BTreeMap::new() });
            journal.write(&moment(), &spaces, &[reading(1), reading(2)]).unwrap();
            journal.unsent(0, 10, 9999).unwrap()
        };
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.stand().unwrap(), Stand { moment: Some(moment()), spaces });
        let unsent = journal.unsent(0, 10, 9999).unwrap();
        assert_eq!(unsent, first);
        assert_ne!(unsent[0].1.id, unsent[1].1.id);
        assert_eq!(journal.unsent(0, 1, 9999).unwrap().len(), 1);

        journal.forget(&[unsent[0].0]).unwrap();
        journal.forget(&[unsent[0].0]).unwrap();
        assert_eq!(journal.unsent(0, 10, 9999).unwrap(), unsent[1..]);
        // A number is never used again, or the edge would take another reading for the same.
        journal.forget(&[unsent[1].0]).unwrap();
        journal.write(&moment(), &BTreeMap::new(), &[reading(3)]).unwrap();
        assert!(!first.iter().any(|it| it.1.id == journal.unsent(0, 1, 9999).unwrap()[0].1.id));
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_another_begun_with_other_ids() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meter.sqlite");
        let source = Journal::open(&path).unwrap().source;
        fs::write(&path, vec![7; 9000]).unwrap();
        let journal = Journal::open(&path).unwrap();
        assert_ne!(journal.source, source);
        assert!(folder.path().join("meter.sqlite.damaged").exists());
        journal.write(&moment(), &BTreeMap::new(), &[reading(1)]).unwrap();
        assert_eq!(journal.unsent(0, 10, 9999).unwrap().len(), 1);
    }

    #[test]
    fn damage_that_is_not_at_the_beginning_is_noticed_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meter.sqlite");
        let journal = Journal::open(&path).unwrap();
        journal.write(&moment(), &BTreeMap::new(), &vec![reading(1); 100]).unwrap();
        drop(journal);
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 4096;
        bytes[last..].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        assert_eq!(Journal::open(&path).unwrap().unsent(0, 200, 99_999).unwrap(), []);
        assert!(folder.path().join("meter.sqlite.damaged").exists());
    }

    #[test]
    fn only_a_file_that_is_no_good_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/meter.sqlite");
        assert!(Journal::open(&path).unwrap_err().may_pass(), "there is no such folder");

        #[rustfmt::skip]
        let rows = [
            (ffi::SQLITE_BUSY,     true),
            (ffi::SQLITE_CANTOPEN, true),
            (ffi::SQLITE_FULL,     true),
            (ffi::SQLITE_CORRUPT,  false),
            (ffi::SQLITE_NOTADB,   false),
            (ffi::SQLITE_ERROR,    false), // another schema
        ];
        for (code, want) in rows {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(JournalError::from(error).may_pass(), want, "{code}");
        }
    }

    #[test]
    fn a_message_has_no_more_readings_than_fit_into_it_and_at_least_one() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("meter.sqlite")).unwrap();
        let huge = Reading { posts: u64::MAX, cpu_ms: u64::MAX, ..reading(1) };
        journal.write(&moment(), &BTreeMap::new(), &vec![huge; 9]).unwrap();
        for (after, limit, len_max, want) in [
            (0, 200, 99_999, (1..=9).collect::<Vec<i64>>()),
            (0, 3, 99_999, vec![1, 2, 3]),
            (7, 200, 99_999, vec![8, 9]),
            (9, 200, 99_999, vec![]),
            (0, 200, 1500, vec![1, 2, 3]),
            (4, 200, 1, vec![5]),
        ] {
            let items = journal.unsent(after, limit, len_max).unwrap();
            let (numbers, items): (Vec<_>, Vec<_>) = items.into_iter().unzip();
            assert_eq!(numbers, want, "{after} {limit} {len_max}");
            let message = serde_json::to_vec(&fleet::Readings { items }).unwrap();
            assert!(numbers.len() < 2 || message.len() <= len_max + 16, "{}", message.len());
        }
    }
}

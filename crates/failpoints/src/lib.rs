//! Named places at which a test kills the process, as `kill -9` would.
//!
//! Without the feature `enabled` a [`hit`] is nothing. With it, the environment variable
//! `SPACEPORT_FAILPOINT=name@n` kills the process when the place `name` is reached for the n-th
//! time (`name` alone: the first). Nothing runs after that, no destructor and no flush, which is the
//! point: what survives is what was durable.

/// Marks a place at which a test may kill the process.
#[cfg(not(feature = "enabled"))]
#[inline(always)]
pub const fn hit(_name: &str) {}

#[cfg(feature = "enabled")]
pub use enabled::hit;

#[cfg(feature = "enabled")]
mod enabled {
    use std::{
        process::Command,
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    struct Armed {
        name: String,
        hits_left: AtomicU64,
    }

    fn armed() -> Option<&'static Armed> {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        ARMED
            .get_or_init(|| {
                #[expect(clippy::disallowed_methods, reason = "a test speaks to us by it")]
                let text = std::env::var("SPACEPORT_FAILPOINT").ok()?;
                let (name, hits) = text.split_once('@').unwrap_or((&text, "1"));
                let hits_left = AtomicU64::new(hits.parse().expect("name@n has a number"));
                Some(Armed { name: name.to_owned(), hits_left })
            })
            .as_ref()
    }

    /// Kills the process if this is the place and the time that the test asked for.
    ///
    /// # Panics
    /// If the process could not be killed, which would make the test pass for nothing.
    pub fn hit(name: &str) {
        let Some(armed) = armed().filter(|it| it.name == name) else { return };
        if armed.hits_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            let pid = std::process::id().to_string();
            let _ = Command::new("kill").args(["-9", &pid]).status();
            panic!("could not kill the process at {name}");
        }
    }
}

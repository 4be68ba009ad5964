//! The time.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;

/// What time it is.
#[expect(clippy::disallowed_methods, reason = "this is the outermost layer")]
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(0).plus(since_epoch)
}

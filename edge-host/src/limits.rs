//! How much one component, one request and the whole edge may take.

use std::time::Duration;

/// Largest request body. The components have lower limits of their own.
pub(crate) const REQUEST_BODY_BYTES_MAX: usize = 1024 * 1024;

/// Longest wait for the next part of a request body.
pub(crate) const REQUEST_BODY_IDLE_MAX: Duration = Duration::from_secs(10);

/// How much of a request body that nobody reads is read for the client's sake.
pub(crate) const REQUEST_BODY_REST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long that may take.
pub(crate) const REQUEST_BODY_REST_TIME_MAX: Duration = Duration::from_secs(5);

/// Longest time from a request's arrival to the head of its response. A long poll holds 20 s.
pub(crate) const REQUEST_TIME_MAX: Duration = Duration::from_secs(40);

/// How long a component may compute without a request starting in its instance in between.
pub(crate) const CPU_TIME_MAX: Duration = Duration::from_secs(5);

/// How often running components are looked at. The CPU limit is counted in these.
pub(crate) const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Largest linear memory of a component.
pub(crate) const MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most requests answered at once. More are refused with 503.
pub(crate) const REQUESTS_MAX: usize = 512;

/// Most component instances at once.
pub(crate) const INSTANCES_MAX: u32 = 512;

/// Requests an instance serves before it is thrown away, as in Spin.
pub(crate) const INSTANCE_REQUESTS_MAX: usize = 128;

/// Requests an instance serves at once, as in Spin.
pub(crate) const INSTANCE_CONCURRENT_REQUESTS_MAX: usize = 16;

/// How long the newest request of an instance must have been there before another joins it.
pub(crate) const INSTANCE_SETTLE_TIME: Duration = Duration::from_millis(20);

/// How long an instance may wait for its next request, as in Spin.
pub(crate) const INSTANCE_IDLE_MAX: Duration = Duration::from_secs(1);

/// Longest wait for a database that another connection is writing to, as in Spin.
pub(crate) const SQLITE_BUSY_MAX: Duration = Duration::from_secs(5);

/// How long one SQL statement may run, which it does on a thread that others wait for.
pub(crate) const SQLITE_STATEMENT_TIME_MAX: Duration = Duration::from_secs(5);

/// Largest result of one SQL statement.
pub(crate) const SQLITE_RESULT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most connections to one database that are kept open while nobody uses them.
pub(crate) const SQLITE_IDLE_CONNECTIONS_MAX: usize = 8;

/// Longest line of a component's output that is logged whole.
pub(crate) const LOG_LINE_BYTES_MAX: usize = 8 * 1024;

/// Longest wait for a connection to another host.
pub(crate) const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest wait for another host's answer, if the component asks for no other.
pub(crate) const OUTBOUND_TIME_MAX: Duration = Duration::from_secs(30);

//! The places at which a test kills the worker.

/// The failpoints of every worker. The life of a space with secrets and a volume that becomes ready,
/// is stopped, started and deleted passes all of them.
pub const FAILPOINTS: &[&str] = &[
    "worker:hello:after",
    "worker:report:before",
    "worker:report:after",
    "worker:write-secrets:before",
    "worker:write-secrets:after",
    "worker:create-network:before",
    "worker:create-network:after",
    "worker:create-volume:before",
    "worker:create-volume:after",
    "worker:create-container:before",
    "worker:create-container:after",
    "worker:start-container:before",
    "worker:start-container:after",
    "worker:write-ready-marker:before",
    "worker:write-ready-marker:after",
    "worker:stop-container:before",
    "worker:stop-container:after",
    "worker:back-up:before",
    "worker:back-up:after",
    "worker:remove-container:before",
    "worker:remove-container:after",
    "worker:remove-network:before",
    "worker:remove-network:after",
    "worker:remove-volume:before",
    "worker:remove-volume:after",
    "worker:remove-secrets:before",
    "worker:remove-secrets:after",
];

/// The failpoints of a space that has a first admin and uses services of its host.
pub const APP_FAILPOINTS: &[&str] = &[
    "worker:prepare-shared:before",
    "worker:prepare-shared:after",
    "worker:create-first-admin:before",
    "worker:create-first-admin:after",
    "worker:remove-shared:before",
    "worker:remove-shared:after",
];

/// The failpoints of what spaces use: when it is written down, and when the edge is told.
pub const METER_FAILPOINTS: &[&str] = &[
    "worker:journal:before",
    "worker:journal:after",
    "worker:readings:before",
    "worker:readings:after",
];

/// The failpoints of a notice that is delivered.
pub const NOTICE_FAILPOINTS: &[&str] = &["worker:deliver:before", "worker:deliver:after"];

/// The failpoints within a final backup: when all is written, when it is verified, and when that is on
/// record and it is about to get its name.
pub const BACKUP_FAILPOINTS: &[&str] =
    &["worker:backup:written", "worker:backup:verified", "worker:backup:recorded"];

/// The failpoints of an update; the last four only of one that is undone.
pub const UPDATE_FAILPOINTS: &[&str] = &[
    "worker:save-data:before",
    "worker:save-data:after",
    "worker:commit-update:before",
    "worker:commit-update:after",
    "worker:reject-update:before",
    "worker:reject-update:after",
    "worker:restore-data:before",
    "worker:restore-data:after",
];

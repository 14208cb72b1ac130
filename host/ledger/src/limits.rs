//! Every number the ledger refuses by, each with its reason.

/// Bytes of one encoded command. Four KiB keeps an append to the log one disk page, and snapshots
/// small with thousands of facts; every field below is bounded so that no command comes near it.
pub const COMMAND_BYTES_MAX: usize = 4096;

/// Attempts a task may lose before it is failed. A crash that repeats three times is the task's
/// doing, not the worker's.
pub const ATTEMPTS_MAX: u32 = 3;

/// Attempts that ended through nobody's fault (handed back, or lost together with the coordinator)
/// before a task is failed all the same. It only has to end a task that takes the whole node down
/// each time; thirty-two restarts in the lifetime of one task are no bad luck.
pub const RETURNS_MAX: u32 = 32;

/// Attempts remembered with a task, the newest ones. Enough to show every counted attempt and
/// some that did not count.
pub const ATTEMPT_RECORDS_MAX: usize = 8;

/// Wait before the second attempt; it doubles with each further one. Half a second outlasts a
/// worker's restart of a crashed child process.
pub const BACKOFF_FIRST_MS: u64 = 500;

/// The longest wait between attempts. With three attempts it is never reached; it bounds the
/// arithmetic, should the number of attempts ever be raised.
pub const BACKOFF_MAX_MS: u64 = 30_000;

/// Bytes of a problem's code: the longest in the table has under forty.
pub const CODE_BYTES_MAX: usize = 64;

/// Bytes of a problem's detail. One KiB holds a dozen unsatisfied constraints by name and leaves
/// three quarters of a command for the rest; longer text is cut.
pub const DETAIL_BYTES_MAX: usize = 1024;

/// Bytes of a problem's JSON pointer; a longer one is cut.
pub const PATH_BYTES_MAX: usize = 256;

/// Bytes of a worker's name: a Kubernetes pod name has at most 63.
pub const WORKER_ID_BYTES_MAX: usize = 64;

/// Bytes of a plugin's name: a DNS label, so that it can stand in paths and file names.
pub const NAME_BYTES_MAX: usize = 63;

/// Bytes of a plugin's version: any real semantic version.
pub const VERSION_BYTES_MAX: usize = 64;

/// Leases renewed by one command. A worker with more slots than this renews in several; one
/// takes at most 26 bytes, so the command stays under two KiB.
pub const RENEWALS_MAX: usize = 64;

/// Tasks forgotten by one command, at 16 bytes each.
pub const FORGET_MAX: usize = 128;

/// Commands that one call of `plan` returns. The planner calls again until none is left; a
/// bound keeps one call short and lets fresh submissions in between.
pub const PLAN_MAX: usize = 64;

/// Plugins known at a time, retired and rejected ones included: a record has under one KiB, so the
/// snapshot stays under ten MiB for them.
pub const PLUGINS_MAX: u64 = 10_000;

/// Circuits known at a time. A record has under half a KiB.
pub const CIRCUITS_MAX: u64 = 100_000;

/// Tasks known at a time, finished ones that the archive has not taken included. Past a million the
/// design shards by tenant instead; a record has about a quarter KiB, so the whole fits memory.
pub const TASKS_MAX: u64 = 1_000_000;

/// Bytes of a component that may be registered. The gateway refuses larger uploads; this is the
/// second check.
pub const COMPONENT_BYTES_MAX: u64 = 8 * 1024 * 1024;

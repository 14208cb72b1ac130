//! Every number the ledger refuses by, each with its reason.

use crate::Quotas;

/// Bytes of one encoded command. Four KiB keeps an append to the log one disk page, and snapshots
/// small with thousands of facts; every field below is bounded so that no command comes near it.
pub const COMMAND_BYTES_MAX: usize = 4096;

/// Commands in one entry of the log. Concurrent proposals share one fsync; at under 4 KiB each an entry
/// stays under the 256 KiB that a peer may send.
pub const ENTRY_COMMANDS_MAX: usize = 64;

/// Entries of the log between snapshots. A restart replays at most this many: full ones take a second
/// and a half. A snapshot costs a copy of the state, however little has changed: every 2,000 it took a
/// fifth of a busy member's time.
pub const SNAPSHOT_ENTRIES: usize = 8000;

/// Attempts a task may lose before it is failed. A crash that repeats three times is the task's
/// doing, not the worker's.
pub const ATTEMPTS_MAX: u32 = 3;

/// Attempts that ended through nobody's fault (handed back, or lost together with the coordinator)
/// before a task is failed all the same. It only has to end a task that takes the whole node down
/// each time; thirty-two restarts in the lifetime of one task are no bad luck.
pub const RETURNS_MAX: u32 = 32;

/// Returns after which each further one waits, as long as after a strike. A drain of several workers
/// returns a task this often, and it must not wait for that. More often it is returned by a worker
/// whose lease ran out under it and which has no free slot before it has heard so: leased to it again
/// at once, a task would spend all its returns within a second.
pub const RETURNS_AT_ONCE: u32 = 8;

/// Attempts remembered with a task, the newest ones. Enough to show every counted attempt and
/// some that did not count.
pub const ATTEMPT_RECORDS_MAX: usize = 8;

/// Wait before the second attempt; it doubles with each further one. Half a second outlasts a
/// worker's restart of a crashed child process.
pub const BACKOFF_FIRST_MS: u64 = 500;

/// The longest wait between attempts. With three attempts it is never reached; it bounds the
/// arithmetic, should the number of attempts ever be raised.
pub const BACKOFF_MAX_MS: u64 = 30_000;

/// The steady clock makes up at most one part in this many of the time that passes. At a twentieth a
/// lease of 10 s is at most half a second off, and a clock that was an hour wrong is right in a day.
pub const CLOCK_SLEW: u32 = 20;

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

/// Plugins of one tenant, a tenth of all: nobody takes every place. Rejected ones, and retired ones
/// that have no circuit, make room for new ones.
pub const PLUGINS_OF_TENANT_MAX: u64 = PLUGINS_MAX / 10;

/// Circuits known at a time. A record has under half a KiB.
pub const CIRCUITS_MAX: u64 = 100_000;

/// Circuits that one tenant registered, a tenth of all: nobody takes every place, and a hundred for
/// each of a hundred plugins is more than parameters have been seen for.
pub const CIRCUITS_OF_TENANT_MAX: u64 = CIRCUITS_MAX / 10;

/// Tasks known at a time, finished ones that the archive has not taken included. Past a million the
/// design shards by tenant instead; one that waits takes 1.4 KiB of a member's memory, its part of the log
/// included (`cargo xtask bench queue`), so a million take 1.4 GiB.
pub const TASKS_MAX: u64 = 1_000_000;

/// Bytes of a component that may be registered. The gateway refuses larger uploads; this is the
/// second check.
pub const COMPONENT_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Names that keys are published under. As many as there may be plugins: a name stands for what one
/// makes; a record has under a KiB with a dozen versions.
pub const VERIFYING_KEY_NAMES_MAX: u64 = 10_000;

/// Keys under one name. A rotation a month for twenty years.
pub const VERIFYING_KEY_VERSIONS_MAX: u64 = 256;

/// Bytes of the reason for a revocation: a sentence or two and a link.
pub const REASON_BYTES_MAX: usize = 512;

/// Builds of verifiers that the log's readers can be told the names of: one a week for forty years.
/// A proof that a later one verified is accepted as well; its receipt has the digest alone.
pub const BUILDS_MAX: usize = 2048;

/// Proofs of one worker that may fail verification before it gets no more leases. One bad proof is bad
/// memory perhaps, three are no accident.
pub const INVALID_PROOFS_MAX: u32 = 3;

/// Workers that something is held against; beyond, whoever lied least is forgotten. As many as may
/// be joined.
pub const DISTRUSTED_MAX: usize = 1024;

/// Bytes of a tenant's name: a DNS label, so that it can stand in paths and metrics.
pub const TENANT_ID_BYTES_MAX: usize = 63;

/// A tenant's weight unless somebody sets it: leaves room for a hundredth of an ordinary share.
pub const WEIGHT_DEFAULT: u32 = 100;

/// What a tenant may have that is made without quotas: enough for a team to start with, little enough
/// that one of ten such tenants cannot fill a small cluster.
pub const QUOTAS_DEFAULT: Quotas = Quotas {
    live_tasks: Some(10_000),
    queued_bytes: Some(1 << 30),
    core_seconds: None,
    stored_bytes: Some(256 << 20),
};

/// Tenants that may be made. A record and its usage have under 200 bytes.
pub const TENANTS_MAX: u64 = 10_000;

/// Keys known at a time, those that ended lately included. A record has under 300 bytes, so the
/// snapshot stays under three MiB for them.
pub const KEYS_MAX: u64 = 10_000;

/// How long a revoked or expired key is remembered, in milliseconds: 90 days, in which somebody may
/// ask what became of it. It opens nothing meanwhile, and nothing afterwards.
pub const KEY_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1000;

/// Bytes of a key's label: a few words.
pub const LABEL_BYTES_MAX: usize = 128;

/// Bytes of the name of whoever acts: a key has 20, the subject of a token seldom more than 64.
pub const ACTOR_BYTES_MAX: usize = 160;

/// Administrative acts that the ledger keeps when the archive has them, the newest ones: at some 200
/// bytes each the snapshot stays small.
pub const AUDIT_KEPT: usize = 500;

/// Administrative acts that the ledger keeps while no archive has them: a megabyte, and years of most
/// clusters. Past it the oldest are forgotten; each is a line of the leader's log as well.
pub const AUDIT_WAITING_MAX: usize = 5_000;

/// Acts that the archive takes at a time.
pub const AUDIT_BATCH: usize = 128;

/// Tenants that one plugin may be shared with: 32 names of 64 bytes leave half a command free. Who
/// shares with more publishes.
pub const SHARED_WITH_MAX: usize = 32;

/// The greatest weight: a hundred ordinary shares. More is a cluster of one's own.
pub const WEIGHT_MAX: u32 = 10_000;

/// Tenants whose shares are remembered before those that owe nothing are dropped. Dropping one
/// changes no decision; the number only keeps snapshots small.
pub const SHARES_KEPT: usize = 1024;

/// What a step of priority is worth in waiting time. A task of the lowest priority is overtaken
/// only by tasks submitted less than `9 * PRIORITY_STEP_MS` (nine minutes) after it, and by
/// inspections and preparations within two steps more: nothing waits for ever.
pub const PRIORITY_STEP_MS: u64 = 60_000;

/// How long a task that needs much memory waits for a gap before a worker is kept free for it, and
/// before its tenant's younger tasks stop overtaking it. Most proofs end within ten seconds, so
/// most gaps come by themselves.
pub const RESERVE_AFTER_MS: u64 = 10_000;

/// An attempt that has run this many times its estimate is a straggler.
pub const STRAGGLER_FACTOR: u64 = 2;

/// A straggler gets a second attempt when its deadline is no further away than this many
/// estimates, and at least one: earlier it may still end by itself, later a second would be late.
pub const SPECULATION_FACTOR: u64 = 3;

/// Threads that one lease may name; the speed-up model says that each doubling beyond wastes more
/// than a third.
pub const THREADS_MAX: u32 = 64;

/// Samples after which averages of measurements become exponential: a changed machine is noticed
/// within a dozen proofs, one odd proof moves an estimate by an eighth.
pub const SAMPLES_MAX: u32 = 8;

/// How long one attempt may last at the most, in estimates of it: a worker that renews its lease for
/// ever without a result loses it then. A machine that is twenty times slower than the cluster's
/// average is of no use to anybody.
pub const ATTEMPT_ESTIMATES_MAX: u64 = 20;

/// How long an attempt may last whatever is estimated: the first proof of a circuit nobody has
/// measured, on a machine that swaps.
pub const ATTEMPT_MS_MIN: u64 = 30 * 60_000;

/// The longest time that is believed of one stage: a day, in microseconds. No lease is renewed
/// that long for a proof of the largest circuit; it bounds the arithmetic.
pub const DURATION_US_MAX: u64 = 86_400_000_000;

/// How far a measured peak may move the memory predicted from the shape, either way. The
/// prediction is an upper bound that is tested against real processes; more than four times less
/// is a worker that does not see its children.
pub const MEMORY_CORRECTION_MAX: u64 = 4;

/// Memory set aside for an attempt of which nothing is known: an inspection or a preparation. Half
/// a GiB holds a compilation of the largest component and keys up to k = 14; a smaller worker sets
/// aside all it has.
pub const MEMORY_ASSUMED_BYTES: u64 = 512 * 1024 * 1024;

/// Nanoseconds that a unit of `CircuitFacts::work` takes on one thread before this cluster has
/// measured any: 1.06 s for k = 12 with six advice columns (about 27 commitments of 4,096 terms).
pub const WORK_UNIT_NANOS: u64 = 10_000;

/// What an inspection is charged before it ran: compiling 1.6 MB takes about a second, its default
/// circuit's keys another.
pub const INSPECT_WORK_US: u64 = 2_000_000;

/// What a preparation is charged before it ran: recording, checking and making keys of k = 14.
pub const PREPARE_WORK_US: u64 = 2_000_000;

/// What a proof without any figures is charged: k = 12 on one thread.
pub const PROOF_WORK_US: u64 = 1_000_000;

/// Places in the queue that an explanation counts before it says "at least".
pub const POSITION_MAX: u64 = 10_000;

/// Webhooks at a time. A record has under two KiB, so the snapshot stays under two MiB for them.
pub const WEBHOOKS_MAX: u64 = 1_000;

/// Webhooks of one tenant: a few systems of its own, each with a test installation.
pub const WEBHOOKS_OF_TENANT_MAX: u64 = 16;

/// Bytes of a webhook's URL. Real ones have under 200; a token in the path may take some more.
pub const WEBHOOK_URL_BYTES_MAX: u64 = 1024;

/// Events that may wait for one webhook: half a day of a receiver that is away at one proof every
/// ten seconds. Past it an event is missed, and counted.
pub const PENDING_EVENTS_OF_WEBHOOK_MAX: u64 = 5_000;

/// Events that may wait in all, at about 50 bytes each: 10 MB of a snapshot, and more than one tenant
/// can fill.
pub const PENDING_EVENTS_MAX: u64 = 200_000;

/// Ended deliveries remembered with a webhook, the newest ones.
pub const DELIVERIES_KEPT: usize = 100;

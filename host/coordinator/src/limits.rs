//! Every number of the coordinator, each with its reason.

use std::time::Duration;

/// Commands in one log entry. Concurrent proposals share one fsync; at under 4 KiB each an entry
/// stays under the 256 KiB that a peer may send.
pub(crate) const BATCH_MAX: usize = 64;

/// Proposals that wait for the log. A proposer beyond it waits, and holds nothing while it does.
pub(crate) const PROPOSALS_QUEUED_MAX: usize = 1024;

/// Events a subscriber may be behind before it misses some and has to look at the facts again. A
/// thousand tasks with four changes each.
pub(crate) const EVENTS_BEHIND_MAX: usize = 4096;

/// Assignments that wait in a worker's stream. A worker has few slots; one that does not take its
/// assignments is treated as gone, and they are given back.
pub(crate) const ASSIGNMENTS_QUEUED_MAX: usize = 256;

/// Workers joined at a time. Each costs a stream and a share of the leader's memory.
pub(crate) const WORKERS_MAX: usize = 1024;

/// Slots a worker may claim. More than a machine's cores is a mistake.
pub(crate) const SLOTS_MAX: u32 = 256;

/// Attempts one message may name: every slot of a worker, and as many that it has lost.
pub(crate) const ATTEMPTS_NAMED_MAX: usize = 2 * SLOTS_MAX as usize;

/// Stages for which progress is remembered. Bounded by the leases; the rest is dropped.
pub(crate) const STAGES_REMEMBERED_MAX: usize = 16 * 1024;

/// Bytes of public inputs read for verifying: 32,768 field elements, sixteen times what the circuits
/// of the default limits can have in their instance columns' declared rows.
pub(crate) const PUBLIC_INPUT_BYTES_MAX: u64 = 1024 * 1024;

/// Log entries between snapshots. A restart replays at most this many, which takes well under a
/// second; a snapshot costs a copy of the state.
pub(crate) const SNAPSHOT_EVERY: u64 = 2000;

/// Log entries kept behind a snapshot, for peers that are a little late.
pub(crate) const LOG_KEPT: u64 = 500;

/// Heartbeats between members, and the wait before an election. Four beats may be lost; a leader's
/// loss is noticed within two seconds also while provers use every core.
pub(crate) const HEARTBEAT_MS: u64 = 250;
/// The shortest wait before an election.
pub(crate) const ELECTION_MIN_MS: u64 = 1000;
/// The longest wait before an election.
pub(crate) const ELECTION_MAX_MS: u64 = 2000;

/// How long a start waits for a leader and for the log to be applied.
pub(crate) const START_PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of redb's page cache: the log's tail is all that is ever read.
pub(crate) const LOG_CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The largest snapshot read into memory: a million tasks at a quarter KiB, with room.
pub(crate) const SNAPSHOT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Before a clock that does not move by itself, or a wake-up that was missed, delays a deadline: the
/// longest sleep of the planner is `Config::tick`, and the shortest this.
pub(crate) const TICK_MIN: Duration = Duration::from_millis(1);

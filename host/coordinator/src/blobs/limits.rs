//! The numbers of blob replication, each with its reason.

use std::time::Duration;

/// How long a put may take to be on a majority's disks: the largest blob needs half a second over a
/// gigabit, and a busy disk as much for an fsync; a leader changes within two. No more than a
/// gateway waits for a leader.
pub(super) const PUT_PATIENCE: Duration = Duration::from_secs(5);

/// The first wait before a peer that failed is tried again, and the longest.
pub(super) const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// How long one part of a blob, or a short call, may take.
pub(super) const CALL_PATIENCE: Duration = Duration::from_secs(5);

/// Blobs on their way to one peer at a time. A peer that is slow fills this, and then no more of
/// what a majority has without it waits for it: repair brings it later.
pub(super) const PUTS_AT_ONCE: usize = 16;

/// Kibibytes of blobs that a service holds in memory while they are being received: eight of the
/// largest. More uploads wait.
pub(super) const RECEIVED_KIB_MAX: u32 = 512 << 10;

/// How long a blob may take to arrive once it has a place: the largest at 10 Mbit/s. Whoever is
/// slower gives its place to others.
pub(super) const RECEIVE_PATIENCE: Duration = Duration::from_secs(60);

/// Parts of blobs that are sent at a time, of 1 MiB each. More requests wait.
pub(super) const PARTS_SENT_MAX: usize = 64;

/// The largest part that is sent at once; askers take 1 MiB.
pub(super) const PART_BYTES_MAX: u64 = 4 << 20;

/// Digests in one question of what a member has: 36 bytes each, so under 40 KiB.
pub(super) const HAS_DIGESTS_MAX: usize = 1024;

/// Blobs that a report of a collection lists: 40 bytes each, so that it stays under the 4 MiB of a
/// message. The counts are of all.
pub const COLLECTED_LISTED_MAX: usize = 50_000;

/// How long a blob that nothing refers to stays: an upload or a submission refers to its
/// blobs within a minute of putting them, an inspection within the minutes that its keys take, and
/// members' clocks may differ by some more.
pub(super) const COLLECT_GRACE: Duration = Duration::from_secs(60 * 60);

/// How long another member may take to collect: listing a million blobs takes some seconds.
pub(super) const COLLECT_PATIENCE: Duration = Duration::from_secs(120);

/// How often each member collects by itself.
pub(super) const COLLECT_EVERY: Duration = Duration::from_secs(60 * 60);

/// How often everything the ledger refers to is looked for, beside what events name at once.
pub(super) const REPAIR_EVERY: Duration = Duration::from_secs(10);

/// Bytes that repair pulls a second at most, so that it leaves room for proofs and Raft on a gigabit.
pub(super) const REPAIR_BYTES_PER_SECOND: u64 = 64 << 20;

/// Bytes that are re-read a second to find rot: a depot of 100 GiB is read through in fourteen hours.
pub(super) const SCRUB_BYTES_PER_SECOND: u64 = 2 << 20;

/// How long a key whose task the ledger does not know is kept: its submission may be on its way.
/// Longer than a gateway waits for anything.
pub(super) const ORPHAN_GRACE: Duration = Duration::from_secs(10 * 60);

/// Events that wait while upkeep is busy; beyond it everything is looked at again.
pub(super) const PULLS_QUEUED_MAX: usize = 4096;

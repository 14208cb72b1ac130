//! The numbers of this room, each with its reason.

use aureole_ledger::limits::{ENTRY_COMMANDS_MAX, SNAPSHOT_ENTRIES};

/// The largest blob the depot takes: twice the canonical bytes of the largest circuit that the
/// IR's default limits admit, and eight times the largest component or request body.
pub const BLOB_BYTES_MAX: u64 = 64 << 20;

/// How much of a stream is hashed and written at a time: large enough that the write calls do
/// not show, small enough that hashing it does not hold an async thread for 0.1 ms.
pub(crate) const STREAM_CHUNK_BYTES: usize = 64 << 10;

/// What sealing adds to an input: a 24-byte nonce before it and a 16-byte tag behind it.
pub const SEALED_OVERHEAD_BYTES: usize = 40;

/// Most tasks that one page of the archive holds: a page of 500 documents of 4 KiB is 2 MiB.
pub const ARCHIVE_PAGE_MAX: u32 = 500;

/// Connections to the SQLite file: one writes, three read beside it in WAL mode.
pub(crate) const ARCHIVE_CONNECTIONS: u32 = 4;

/// How long a statement waits for the file's lock before it gives up. Only a backup or another
/// program holds it for longer than a commit.
pub(crate) const ARCHIVE_BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// Connections of one process to PostgreSQL: one writes, three read beside it. Seven members then take
/// 28 of the hundred that a server has by default.
pub(crate) const POSTGRES_CONNECTIONS: u32 = 4;

/// How long a statement may take, its connection included: a page or a batch of 128 takes
/// milliseconds, and whoever asks has other things to do than to wait for a server that is away. The
/// relay gives up after 8 s.
pub(crate) const POSTGRES_PATIENCE: std::time::Duration = std::time::Duration::from_secs(4);

/// How long reading all of history may take: ten million documents at a hundred thousand a second,
/// three times over.
pub(crate) const POSTGRES_SCAN_PATIENCE: std::time::Duration = std::time::Duration::from_secs(300);

/// Statements by which the server is judged: half of them failed, and it is left alone.
pub(crate) const POSTGRES_BREAKER_CALLS: usize = 4;

/// For how long: a server that was killed takes about a second to recover.
pub(crate) const POSTGRES_BREAKER_WAIT: std::time::Duration = std::time::Duration::from_secs(1);

/// Connections of one process to Redis; commands of a tenth of a millisecond each.
pub(crate) const REDIS_CONNECTIONS: usize = 8;

/// How long Redis may take: it answers in well under a millisecond, and what it would save is not
/// worth more than this.
pub(crate) const REDIS_PATIENCE: std::time::Duration = std::time::Duration::from_millis(100);

/// Commands by which Redis is judged: half of them failed, and it is left alone.
pub(crate) const REDIS_BREAKER_CALLS: usize = 8;

/// For how long: a request in that time is not slowed down at all.
pub(crate) const REDIS_BREAKER_WAIT: std::time::Duration = std::time::Duration::from_secs(1);

/// The largest document that is kept in Redis: a task with a proof of a wide circuit. Larger ones are
/// read where they are.
pub(crate) const REDIS_DOCUMENT_BYTES_MAX: usize = 64 << 10;

/// How many bytes of a stream are written before free space is asked for again: one in 128 of the
/// smallest reserve.
pub(crate) const SPACE_CHECK_BYTES: u64 = 1 << 20;

/// The share of a file system that stays free for the log, its snapshots and the archive: a
/// twentieth, as file systems themselves keep back for root.
pub(crate) const RESERVE_SHARE: u64 = 20;

/// The least that stays free: two blobs of the largest size, which may be under way when the
/// reserve is met.
pub(crate) const RESERVE_BYTES_MIN: u64 = 2 * BLOB_BYTES_MAX;

/// The most that stays free unless configuration asks for more: two snapshots of a quarter million
/// tasks, and the log between them.
pub(crate) const RESERVE_BYTES_MAX: u64 = 1 << 30;

/// For how long the parts of a blob are given after its whole was checked: the largest blob takes
/// less over a slow network, and whoever assembles the parts checks them again.
pub(crate) const CHECKED_FOR: std::time::Duration = std::time::Duration::from_secs(10);

/// Blobs remembered as checked; more than are copied at a time.
pub(crate) const CHECKED_BLOBS_MAX: usize = 1024;

/// How much of a blob is copied at a time: large enough that the round trip does not show, small
/// enough that one that fails costs little and four holders share a component.
pub const PART_BYTES: u64 = 1 << 20;

/// Parts of one blob under way at a time: enough to fill a link of a gigabit at 30 ms.
pub(crate) const PARTS_AT_ONCE: usize = 4;

/// Leaves that wait for the disk behind a gap, of at most 200 bytes each: twice what the entries
/// between two snapshots can bring. Those that
/// continue what is on disk are never dropped, and are no more: a snapshot waits for them or the
/// member stops, and until then the entries are there to bring them again.
pub(crate) const LEAVES_WAITING_MAX: usize = 2 * SNAPSHOT_ENTRIES * ENTRY_COMMANDS_MAX;

/// Leaves that are settled before it is time, half of the above: as many as one snapshot waits for.
/// They are written every second, so as many wait only when the disk is slow.
pub(crate) const LEAVES_WAITING_MANY: usize = LEAVES_WAITING_MAX / 2;

/// Signed checkpoints kept on disk beside the newest: at one a second under load a quarter of an hour,
/// and weeks of an ordinary day. Auditors keep their own.
pub(crate) const CHECKPOINTS_KEPT: usize = 1024;

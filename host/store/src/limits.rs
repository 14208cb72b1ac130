//! The numbers of this room, each with its reason.

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

//! Where bytes, sealed inputs and history stand on disk.
//!
//! [`Depot`] keeps blobs under their SHA-256 digest, durable before it says so. [`InputVault`]
//! keeps the key of each task's private input, so that destroying 32 bytes makes the sealed input
//! unreadable for good. [`Archive`] keeps finished tasks for search, in SQLite or PostgreSQL.
//! [`Cache`] is what several processes share in Redis and can do without.
//!
//! [`TileLog`] keeps the log of accepted proofs as tiles, and the checkpoints that were signed of it.
//!
//! None of them decides anything: which task exists and what state it is in is the ledger's
//! business.

mod archive;
mod blobs;
mod cache;
mod depot;
mod durable;
mod limits;
mod pull;
mod secret;
mod tiles;
mod vault;

pub use archive::{
    ActFilter, Archive, ArchiveError, ArchivePlace, ArchivedAct, ArchivedTask, Cursor, Expiry,
    Page, PostgresArchive, PostgresConfig, Retention, SchemaStep, SharedArchive, SqliteArchive,
    TaskFilter, migrate, open_archive, schema_steps,
};
pub use aureole_ledger::{Digest, TaskId};
pub use blobs::{BlobSource, Blobs, SharedBlobs};
pub use cache::{Admission, Cache, CacheConfig, CacheError, Lock, RateLimit};
pub use depot::{BlobInfo, Collected, Depot, DepotConfig, DepotError, FileSystem, Probe, Space};
pub use limits::{ARCHIVE_PAGE_MAX, BLOB_BYTES_MAX, PART_BYTES, SEALED_OVERHEAD_BYTES};
pub use pull::{Holder, HolderError, Part, pull};
pub use secret::Secret;
pub use tiles::{Filler, TileFolder, TileLog, TileLogError, Upkeep};
pub use vault::{InputKey, InputVault, KeyInfo, Sealed, VaultError, open_input, seal_input};

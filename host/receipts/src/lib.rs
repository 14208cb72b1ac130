//! The transparency log's mathematics, with no clock, randomness or IO.
//!
//! Every accepted proof becomes a [`Leaf`] of an append-only Merkle tree (RFC 6962, RFC 9162). Each
//! coordinator keeps the same [`Tree`], a few hashes; [`Writer`] cuts the log into tiles (C2SP
//! tlog-tiles), from which a [`Log`] makes proofs; a [`Checkpoint`] is what the log's key signs; a
//! [`Receipt`] holds all that somebody needs to check one leaf offline, and [`audit`] walks a whole
//! log.

mod audit;
mod bundle;
mod checkpoint;
mod digest;
mod key;
mod leaf;
pub mod limits;
mod log;
mod note;
mod proof;
mod range;
mod receipt;
mod tile;
mod tree;
mod trust;
mod writer;

pub use audit::{AuditError, AuditReport, audit};
pub use bundle::{BundleError, decode_bundle, encode_bundle};
pub use checkpoint::{Checkpoint, CheckpointError, OpenedCheckpoint};
pub use digest::{Digest, Hash, Salt, TaskId, TextError, commit};
pub use key::{KeyError, SignerKey, VerifierKey};
pub use leaf::{Leaf, LeafError};
pub use log::{Log, LogError, TileReader};
pub use note::{Note, NoteError, NoteSignature};
pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use receipt::{MakeError, Opening, Receipt, ReceiptError, Verified};
pub use tile::{Tile, TileError, TileKind, tiles_for_consistency, tiles_for_inclusion, tiles_of};
pub use tree::{Head, Tree, TreeError};
pub use trust::{TrustError, TrustedKeys};
pub use writer::{Appended, TileBytes, Writer};

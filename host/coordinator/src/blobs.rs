//! Bytes and keys on a majority of the members.
//!
//! ```text
//!              put                           get
//!   Replicated ──┬─▶ own depot               own depot ── lacks it, or it rotted ──▶ pull from a peer
//!                ├─▶ peer's depot  (on a majority's disks, then Ok)
//!                └─▶ peer's depot
//!
//!   KeyRing      the same for the keys of private inputs, in vaults
//!   Keeper       on each member: pulls what the ledger refers to and this member lacks, re-reads
//!                what it has, destroys keys of tasks that have ended, collects what nothing refers to
//! ```
//!
//! Any member can put: what is named by its digest needs no order. Nothing here is in Raft's log;
//! the ledger only says which bytes matter.

mod client;
mod collect;
mod keeper;
mod keys;
mod limits;
mod peers;
mod references;
mod replicated;
mod service;
mod spread;

pub use client::PeerError;
pub use collect::{
    CollectError, CollectedReport, Collector, MemberCollected, Roots, RootsError,
    collect_everywhere,
};
pub use keeper::{Keeper, KeeperConfig, Upkeep};
pub use keys::{Fate, KeyRing, KeysError};
pub use limits::COLLECTED_LISTED_MAX;
pub use peers::{Links, Membership, Peers};
pub use references::references;
pub use replicated::Replicated;
pub use service::{BlobsService, ReplicasService};

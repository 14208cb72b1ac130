//! The log of accepted proofs on each member: its tiles are complete, its checkpoints signed.
//!
//! ```text
//! apply ──▸ TileLog (memory) ── every second, and before each snapshot ──▸ disk
//!              ▲                                                            │
//!  LogService of another member ── a member that installed a snapshot ──────┘
//!
//! leader:   Notary ── consistent with the newest checkpoint on this disk? ──▸ signs, keeps
//! others:   take the leader's checkpoints over, if they are consistent with their own tiles
//! ```

mod damage;
mod keeper;
mod notary;
mod service;

pub use keeper::{LogKeeper, LogKeeperConfig};
pub use notary::{Notary, NotaryError};
pub use service::LogService;

//! The assembly: configuration, telemetry, wiring, health and shutdown of one node.
//!
//! ```text
//!             gateway ── Platform ──▸ desk ──┬──▸ coordinator ◂── gRPC in memory ──▸ worker
//!                                            ├──▸ depot, vault, archive               │
//!                                            └──▸ verifier children      sandbox, prover children
//! ```
//!
//! The node joins what the other rooms do and decides nothing itself.

mod archivist;
mod clock;
mod config;
mod desk;
mod documents;
mod health;
mod link;
mod node;
mod schema;
mod secret;
mod signers;
pub mod telemetry;
mod verifier;

pub use config::{Config, ConfigError, Http, Limits, Log, LogFormat, Plugins, Worker};
pub use node::{Node, StartError};
pub use schema::{Mismatch, Schema};

//! The assembly: configuration, telemetry, wiring, health and shutdown of one process.
//!
//! ```text
//!  gateway ── Platform ──▸ relay ──▸ desk of the leader ──┬──▸ coordinator ◂── gRPC ──▸ worker
//!                            │                            ├──▸ blobs, keys, archive       │
//!                            └── gRPC to another leader   └──▸ verifier children    sandbox, prover
//!                                                                                     children
//! ```
//!
//! The node joins what the other rooms do and decides nothing itself.

mod archivist;
mod config;
mod desk;
mod documents;
mod enrol;
mod found;
mod health;
mod history;
mod hot;
mod ids;
mod link;
pub mod migrations;
mod node;
mod operator;
mod post;
mod relay;
mod schema;
mod secret;
mod signers;
pub mod telemetry;
pub mod tls;
mod upkeep;
mod verifier;

pub use config::{
    Archive, Cache, Cluster, Config, ConfigError, Depot, Founding, Http, Limits, Log, LogFormat,
    NodeRole, Plugins, ServiceUrl, Span, Tls, Webhooks, Worker,
};
pub use enrol::{EnrolError, enrol};
pub use found::{FoundError, Founded, Plan, found};
pub use node::{Node, StartError};
pub use operator::{Collection, MemberCollection, Operator, OperatorError, Standing, Standpoint};
pub use schema::{Mismatch, Schema};

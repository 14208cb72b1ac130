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
mod first_key;
mod found;
mod health;
mod history;
mod hot;
mod ids;
mod link;
mod log_key;
mod memory;
mod metrics;
pub mod migrations;
mod node;
mod operator;
mod post;
mod rates;
mod relay;
mod schema;
mod secret;
mod signers;
pub mod telemetry;
pub mod tls;
mod upkeep;
mod verifier;

pub use aureole_gateway::{ApiKey, KeyHash};
pub use config::{
    Access, Archive, Cache, Cluster, Config, ConfigError, Depot, Founding, Http, Limits, Log,
    LogFormat, Metrics, NodeRole, Plugins, Receipts, ServiceUrl, Span, Tls, TokenIssuer, Traces,
    Webhooks, Worker,
};
pub use enrol::{EnrolError, enrol};
pub use first_key::{FirstKeyError, first_key};
pub use found::{FoundError, Founded, Plan, found};
pub use log_key::LogKeyError;
pub use node::{Node, StartError};
pub use operator::{Collection, MemberCollection, Operator, OperatorError, Standing, Standpoint};
pub use schema::{Mismatch, Schema};

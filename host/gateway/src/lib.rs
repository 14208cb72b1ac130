//! REST over one trait: wire to domain, errors to responses.
//!
//! Start with [`Platform`], the verbs that a node implements, and [`serve`], the accept loop.
//! A request passes `edge` (id, slot, panic net, log line), `routes` (the table), `access` (who may), `extract` and
//! `body` (text to types, within limits), the platform, and `answer` (results to responses).

mod access;
mod admin;
mod answer;
mod body;
mod caller;
mod client_address;
mod component;
mod config;
mod console;
mod edge;
mod extract;
mod grpc;
mod json;
mod key;
mod limiter;
pub mod limits;
mod openapi;
mod platform;
mod routes;
mod serve;
mod shared;
mod shares;
mod submission;
mod watch;
mod webhooks;

pub use access::{Access, unauthenticated};
pub use admin::{Administered, Administration};
pub use caller::{Caller, Credential};
pub use component::Component;
pub use config::Config;
pub use key::{ApiKey, KeyHash, KeyHashError};
pub use limiter::{Limiter, MemoryLimiter, Rates};
pub use openapi::{codes_of, document as openapi};
pub use platform::{
    BatchVerification, Blob, Claim, InputCheck, LogRead, Platform, Seen, Sort, Submission, Target,
    TaskFilter, Verification,
};
pub use routes::table;
pub use serve::serve;
pub use webhooks::{NewWebhook, Webhooks};

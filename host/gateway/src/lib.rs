//! REST over one trait: wire to domain, errors to responses.
//!
//! Start with [`Platform`], the verbs that a node implements, and [`serve`], the accept loop.
//! A request passes `edge` (id, slot, panic net, log line), `routes` (the table), `access` (who may), `extract` and
//! `body` (text to types, within limits), the platform, and `answer` (results to responses).

mod access;
mod answer;
mod body;
mod caller;
mod component;
mod config;
mod edge;
mod extract;
mod json;
pub mod limits;
mod platform;
mod routes;
mod serve;
mod shared;
mod webhooks;

pub use access::Access;
pub use caller::{Caller, Credential};
pub use component::Component;
pub use config::Config;
pub use platform::{Blob, InputCheck, Platform, Submission, Target, TaskFilter, Verification};
pub use routes::table;
pub use serve::serve;
pub use webhooks::{NewWebhook, Webhooks};

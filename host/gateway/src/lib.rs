//! REST over one trait: wire to domain, errors to responses.
//!
//! Start with [`Platform`], the verbs that a node implements, and [`serve`], the accept loop.
//! A request passes `edge` (id, slot, panic net, log line), `routes` (the table), `extract` and
//! `body` (text to types, within limits), the platform, and `answer` (results to responses).

mod answer;
mod body;
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

pub use component::Component;
pub use config::Config;
pub use platform::{Blob, InputCheck, Platform, Submission, Target, TaskFilter, Verification};
pub use serve::serve;

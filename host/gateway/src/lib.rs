//! REST over one trait: wire to domain, errors to responses.
//!
//! Start with [`Platform`], the verbs that a node implements, and [`serve`], the accept loop.

mod component;
mod config;
pub mod limits;
mod platform;
mod serve;

pub use config::Config;
pub use platform::{Blob, Component, Platform, Submission, Target, TaskFilter, Verification};
pub use serve::serve;

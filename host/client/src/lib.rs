//! Async client of an Aureole node.
//!
//! ```no_run
//! # async fn example() -> Result<(), aureole_client::Error> {
//! use std::time::Duration;
//!
//! let node = aureole_client::Client::builder("http://localhost:8080").key("aur_...").build()?;
//! let input = serde_json::json!({"leaves": ["0x1234"], "leaf_index": 0});
//! let task = node.submit_to("merkle", &input).await?;
//! let task = node.wait_task(&task.id, Duration::from_secs(120), |seen| println!("{}", seen.state)).await?;
//! let bundle = node.bundle(&task.id).await?;
//! # drop(bundle); Ok(()) }
//! ```

mod admin;
mod batch;
mod builder;
mod bundle;
mod client;
mod error;
mod events;
mod http;
mod list;
mod log;
mod retry;
mod sse;
mod tagged;
mod trust;
mod upload;
mod wait;
mod watch;
mod webhooks;

pub use aureole_api::{Problem, codes, rest};
pub use builder::Builder;
pub use bundle::Bundle;
pub use client::Client;
pub use error::Error;
pub use list::{Sort, TaskQuery};
pub use retry::Retries;
pub use tagged::{EntityTag, Tagged};

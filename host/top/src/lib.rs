//! The cluster at a glance, in a terminal: what waits, who works, how fast, what fails, who leads.
//!
//! ```text
//! sampler (IO: the public REST API) ─▶ Frame ─▶ App (state; keys) ─▶ view (pure) ─▶ terminal (IO)
//! ```
//!
//! [`Sampler`] asks an administrator's questions by [`aureole_client`] and nothing else; a [`Frame`]
//! is plain data, and what is drawn of it depends on it and on the keys that were pressed alone.

mod app;
mod frame;
pub mod limits;
mod recent;
mod sampler;
mod stats;
mod terminal;
mod text;
mod view;

pub use app::{App, Key, Pane};
pub use frame::Frame;
pub use recent::{Ended, Recent};
pub use sampler::Sampler;
pub use stats::{Failures, Minute, StageTimes, Stats};
pub use terminal::{TopError, run};
pub use text::plain;
pub use view::draw;

//! What a process tells of itself to those who run it.
//!
//! ```text
//!  gateway, coordinator, worker ── count ──▸ Meters ─┐
//!  node ── looks when it is asked ──────────▸ Sheet ─┴──▸ text for Prometheus
//!  all ── spans and lines of `tracing` ──▸ install ──┬──▸ OTLP, spans alone
//!                      traceparent ──▸ adopt         └──▸ standard error, text or flat JSON
//! ```
//!
//! Rooms count through handles that know nothing of them and may be silent. No name here is a
//! caller's text: a label is a word of the code, a route's template, a code of a problem or a
//! tenant's id, and each has a bound in [`limits`]. What is proved, and with what input, is not known
//! in this room.

mod capped;
mod context;
mod error;
mod install;
mod json;
pub mod limits;
mod meters;
mod sheet;

pub use context::{TRACEPARENT, adopt, is_on, past, traceparent};
pub use error::MeterError;
pub use install::{InstallError, Installed, LogOptions, TraceOptions, install};
pub use meters::{Ended, HttpMeters, LeaderMeters, Meters, TEXT, WorkerMeters};
pub use sheet::{Kind, Sheet};

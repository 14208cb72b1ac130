//! The author's kit: from `aureole plugin new` to a proof that a node made, and every refusal on
//! the way.
//!
//! Crates are made in temporary folders and built with the guests' target folder of this checkout,
//! where `cargo xtask plugins` has left their dependencies: a build takes seconds, not minutes.

mod author;
mod digest;
mod guide;
mod publishing;
mod refusals;
mod versions;

//! The ledger and its scheduler in a simulated world: messages are lost, doubled, delayed and
//! reordered, the coordinator and workers crash, clocks jump. Everything follows from a seed.
//!
//! What must hold is in `tests/sim/`, one invariant a file.

mod node;
mod profile;
mod random;
mod runs;
mod seen;
mod world;

pub use node::{Node, Step, digest};
pub use profile::Profile;
pub use random::Random;
pub use runs::{Ran, runs};
pub use seen::Seen;
pub use world::{FLOOD, Invariant, LEASE_MS, WEBHOOK, World, honest_proof};

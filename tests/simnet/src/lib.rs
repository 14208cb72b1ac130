//! Groups of coordinators on a simulated network: the real openraft, the real log store on a folder,
//! the real gRPC messages by tonic; only the wires, the clocks and chance are simulated, and follow
//! from a seed.
//!
//! A [`Plan`] says what goes wrong when. [`run`] lives through it and returns the [`History`] of what
//! was seen. What must hold of every history is in `tests/simnet/`, one invariant a file.

mod client;
mod deeds;
mod dial;
mod folder;
mod history;
mod limits;
mod member;
mod plan;
mod runs;
mod wire;
mod world;

pub use history::{Deed, End, History, Promise, Reign, Sample, State};
pub use plan::{Action, Plan};
pub use runs::{Ran, every_run};
pub use world::run;

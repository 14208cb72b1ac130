//! The prove loop: leases to witness to proof to completion, in child processes.
//!
//! ```text
//!  coordinators ══ leases, results ══ Worker ──┬── Sandboxes ── sandbox and compile children
//!                                              └── Provers ──── prover children
//! ```
//!
//! Everything that runs a plugin or halo2 happens in child processes of the same binary, with
//! limits on memory and processor time and low priority: a crash is a typed error, cancelling is
//! killing, and the node lives. [`child::run`] is the inside of such a process.

mod capacity;
pub mod child;
mod connect;
mod error;
mod frame;
mod limits;
mod message;
mod pool;
mod problem;
mod process;
mod provers;
mod remote;
mod sandboxes;
mod spans;
mod unsatisfied;
mod worker;

pub use capacity::{cores, memory_bytes};
pub use connect::{Connect, ConnectError};
pub use error::{Error, Seen};
pub use limits::VERIFY_BATCH_MAX;
pub use message::{CircuitLimits, Prepared, Stage};
pub use problem::Problem;
pub use process::ChildCommand;
pub use provers::{Proved, Provers, ProversConfig, Session, Verdicts};
pub use remote::{RemoteBlobs, RemoteConfig};
pub use sandboxes::{Made, Sandboxes, SandboxesConfig};
pub use unsatisfied::Unsatisfied;
pub use worker::{Lookout, Worker, WorkerConfig};

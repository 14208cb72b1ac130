//! Signed events to receivers that are not trusted.
//!
//! The only room that connects to addresses which strangers name. [`Rules`] say where to, [`Sender`]
//! makes one attempt inside hard limits, [`Courier`] tries again until somebody took the event or it
//! is given up. What is to be delivered, and what came of it, is the [`Outbox`]'s: this room keeps no
//! facts.

mod courier;
mod guard;
mod journal;
pub mod limits;
mod range;
mod resolve;
mod schedule;
mod send;
mod sign;

pub use courier::{Courier, Endpoint, Outbox, Parcel, Unsent};
pub use guard::{Denied, Rules, Target};
pub use journal::{Attempt, Progress};
pub use resolve::{Resolve, ResolveError, SystemResolver};
pub use schedule::Schedule;
pub use send::{Letter, SendError, Sender, TrustError};
pub use sign::{SigningKey, verify};

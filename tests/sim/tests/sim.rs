//! What holds in every simulated world, whatever goes wrong: one invariant a file.

#[path = "sim/bounded.rs"]
mod bounded;
#[path = "sim/cancel.rs"]
mod cancel;
#[path = "sim/capacity.rs"]
mod capacity;
#[path = "sim/completion.rs"]
mod completion;
#[path = "sim/durability.rs"]
mod durability;
#[path = "sim/fairness.rs"]
mod fairness;
#[path = "sim/fencing.rs"]
mod fencing;
#[path = "sim/quotas.rs"]
mod quotas;
#[path = "sim/replay.rs"]
mod replay;
#[path = "sim/second.rs"]
mod second;
#[path = "sim/sizes.rs"]
mod sizes;
#[path = "sim/starvation.rs"]
mod starvation;
#[path = "sim/telling.rs"]
mod telling;
#[path = "sim/verified.rs"]
mod verified;

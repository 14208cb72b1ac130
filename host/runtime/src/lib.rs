//! Component bytes to a circuit and a witness, inside hard limits.
//!
//! ```text
//! bytes ── scan ──▸ compile ──▸ CodeCache::put ──▸ Trusted ── Sandbox::load ──▸ Plugin
//!          refuse    Cranelift    sign              CodeCache::get              describe, circuit,
//!          early     (a child     with a            (checked)                   annotate, witness:
//!                    process)     local secret                                  a fresh instance each
//! ```
//!
//! A plugin can neither read, reach, stall nor crash anything: it has no imports but our log,
//! every resource is capped, and traps and timeouts are typed. What comes out of a call is
//! converted, not believed: `aureole_ir` checks it.
//!
//! [`compile`] and [`Plugin`]'s calls block; they belong in a child process with CPU and memory
//! limits of its own, because no limit in here covers the compiler.
//!
//! Without the feature `sandbox` there is [`scan`] only, and no engine is built.
#![cfg_attr(
    not(feature = "sandbox"),
    expect(
        dead_code,
        reason = "the numbers and texts of the sandbox have no other users"
    )
)]

#[cfg(feature = "sandbox")]
mod cache;
#[cfg(feature = "sandbox")]
mod engine;
#[cfg(feature = "sandbox")]
mod error;
mod limits;
#[cfg(feature = "sandbox")]
mod plugin;
#[cfg(feature = "sandbox")]
mod sandbox;
mod scan;
mod text;

#[cfg(feature = "sandbox")]
pub use cache::{CacheError, CodeCache, Trusted};
#[cfg(feature = "sandbox")]
pub use engine::compile;
#[cfg(feature = "sandbox")]
pub use error::{Error, Problem, TrapKind};
pub use limits::{EPOCH_TICK, Limits, MEMORY_GUARD, MEMORY_RESERVATION, TEXT_BYTES, WASM_STACK};
#[cfg(feature = "sandbox")]
pub use plugin::{
    Call, Description, Failure, Log, LogLevel, LogLine, Plugin, PublicInputDescription,
};
#[cfg(feature = "sandbox")]
pub use sandbox::Sandbox;
pub use scan::{ScanError, ScanReport, scan};

//! The one configuration of wasmtime, and the compiler.
//!
//! Compiling and running must agree on everything that shapes code, so both start from
//! [`shared`]. Everything that is not switched on here is off; `scan` validates with the same
//! features.

use std::{
    hash::{Hash, Hasher},
    num::NonZeroUsize,
    sync::OnceLock,
};

use sha2::{Digest, Sha256};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmFeatures};

use crate::{
    error::Error,
    limits::{Limits, MEMORY_GUARD, MEMORY_RESERVATION, WASM_STACK},
    scan::scan,
    text,
};

/// Frames kept of a trap's backtrace. Nobody sees them: that there are any tells a failing host
/// call from a failing result.
const BACKTRACE_FRAMES: usize = 4;

/// Compiles a component to machine code for this machine and this build.
///
/// Scans it first, with `limits`. Cranelift can take seconds and a gigabyte for what the scan
/// lets pass: call this in a process that has limits of its own and may die.
///
/// # Errors
/// [`Error::Scan`] and [`Error::Compile`].
pub fn compile(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    scan(bytes, limits)?;
    let engine = compiler()?;
    engine
        .precompile_component(bytes)
        .map_err(|error| Error::Compile {
            detail: text::sanitise_to(&error.root_cause().to_string(), 256),
        })
}

/// SHA-256 over everything that decides whether compiled code fits: wasmtime's version, the
/// target, the processor's features and the configuration. The same for the life of a process.
pub(crate) fn compatibility() -> Result<[u8; 32], Error> {
    static COMPATIBILITY: OnceLock<[u8; 32]> = OnceLock::new();
    if let Some(known) = COMPATIBILITY.get() {
        return Ok(*known);
    }
    let engine = compiler()?;
    let mut hasher = Sha256Hasher(Sha256::new());
    hasher.0.update(b"aureole engine compatibility v1");
    engine.precompile_compatibility_hash().hash(&mut hasher);
    Ok(*COMPATIBILITY.get_or_init(|| hasher.0.finalize().into()))
}

/// An engine that compiles and reserves nothing.
fn compiler() -> Result<Engine, Error> {
    Engine::new(&shared()).map_err(|error| failed(&error))
}

/// An engine that runs and cannot compile.
///
/// Address space: `slots` times ([`MEMORY_RESERVATION`] + [`MEMORY_GUARD`]) and one guard more,
/// 608 MiB for one slot; tables and instances take under 40 MiB.
pub(crate) fn runner(limits: &Limits) -> Result<Engine, Error> {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let slots = limits.slots.max(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(limits.core_instances))
        .max_core_instances_per_component(limits.core_instances)
        .total_memories(slots.saturating_mul(limits.memories))
        .max_memories_per_component(limits.memories)
        .max_memories_per_module(limits.memories)
        .max_memory_size(size(limits.memory_bytes.min(MEMORY_RESERVATION)))
        .total_tables(slots.saturating_mul(limits.tables))
        .max_tables_per_component(limits.tables)
        .max_tables_per_module(limits.tables)
        .table_elements(size(limits.table_elements.into()));
    let mut config = shared();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config.enable_compiler(false);
    Engine::new(&config).map_err(|error| failed(&error))
}

fn shared() -> Config {
    let mut config = Config::new();
    config.wasm_features(WasmFeatures::all(), false);
    config.wasm_features(
        WasmFeatures::MUTABLE_GLOBAL
            | WasmFeatures::SATURATING_FLOAT_TO_INT
            | WasmFeatures::SIGN_EXTENSION
            | WasmFeatures::REFERENCE_TYPES
            | WasmFeatures::MULTI_VALUE
            | WasmFeatures::BULK_MEMORY
            | WasmFeatures::FLOATS
            | WasmFeatures::WIDE_ARITHMETIC
            | WasmFeatures::COMPONENT_MODEL,
        true,
    );
    config
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .memory_reservation(MEMORY_RESERVATION)
        .memory_guard_size(MEMORY_GUARD)
        .memory_may_move(false)
        // Two workers must record the same circuit, whatever bits their processors give a NaN.
        .cranelift_nan_canonicalization(true)
        // Nobody debugs a plugin through the host; this halves the artifacts.
        .generate_address_map(false)
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(NonZeroUsize::new(BACKTRACE_FRAMES));
    config
}

fn failed(error: &wasmtime::Error) -> Error {
    Error::Sandbox {
        detail: format!("the engine does not start: {}", error.root_cause()),
    }
}

/// Feeds `Hash` into SHA-256: the standard hasher is not stable across builds.
struct Sha256Hasher(Sha256);

// === impl Sha256Hasher ===

impl Hasher for Sha256Hasher {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

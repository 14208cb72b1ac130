//! A look at a component's bytes before the compiler sees them.
//!
//! Nothing here executes, compiles or instantiates: `wasmparser` only. Two passes: a census
//! that counts and refuses at the limits, then full validation with exactly the features the
//! engine has. A component that passes both is well formed, of our world by name, and cheap
//! enough to be given to Cranelift in a child process.

mod census;
mod error;
mod world;

use serde::{Deserialize, Serialize};
use wasmparser::{Validator, WasmFeatures};

pub use self::error::ScanError;
use self::{census::Census, error::refusal_of};
use crate::limits::Limits;

/// The WebAssembly features a plugin may use; `engine` switches on the same ones.
///
/// What Rust's `wasm32-unknown-unknown` emits, and wide arithmetic, which makes field
/// multiplication as fast as native code.
const FEATURES: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::COMPONENT_MODEL);

/// What a scan counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanReport {
    /// Bytes of the component.
    pub bytes: u64,
    /// The contract's version, as the component names it: `0.1.0`.
    pub contract: String,
    /// The component's imports.
    pub imports: Vec<String>,
    /// Core modules.
    pub modules: u32,
    /// Functions of all core modules.
    pub functions: u32,
    /// Bytes of all function bodies.
    pub code_bytes: u64,
    /// Bytes of the largest body.
    pub largest_body: u64,
    /// Most locals of a function.
    pub most_locals: u64,
    /// Most blocks of a function.
    pub most_blocks: u64,
    /// Deepest nesting of blocks.
    pub deepest_block: u32,
    /// The sum over functions of locals times blocks.
    pub local_blocks: u64,
    /// Items of all component-level sections.
    pub component_items: u64,
    /// Bytes of all component-level type sections.
    pub component_type_bytes: u64,
    /// Component and core instances.
    pub instances: u64,
    /// Types of all core modules.
    pub types: u64,
    /// Imports, exports, globals and segments of all core modules.
    pub module_items: u64,
    /// Initial bytes of all memories.
    pub initial_memory_bytes: u64,
    /// Largest initial table.
    pub largest_table: u64,
}

/// Looks at a component's bytes and says what it is, or why it is refused.
///
/// Takes a few milliseconds a megabyte, and memory in the order of the bytes.
///
/// # Errors
/// The first reason found, in this order: size, kind of file, caps, validity, features, imports,
/// exports.
pub fn scan(bytes: &[u8], limits: &Limits) -> Result<ScanReport, ScanError> {
    check_kind(bytes, limits)?;
    let census = Census::take(bytes, limits)?;
    validate(bytes)?;
    let contract = world::check(&census.imports, &census.exports)?;
    let mut report = census.report;
    report.bytes = length(bytes);
    report.contract = contract;
    report.imports = census.imports.into_iter().map(|item| item.name).collect();
    Ok(report)
}

fn check_kind(bytes: &[u8], limits: &Limits) -> Result<(), ScanError> {
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    if bytes.is_empty() {
        return Err(ScanError::Empty);
    }
    if length(bytes) > limits.component_bytes {
        return Err(ScanError::TooLarge {
            bytes: length(bytes),
            limit: limits.component_bytes,
        });
    }
    // Whatever calls itself an ELF file is never given to anything that could load it.
    if bytes.starts_with(b"\x7fELF") {
        return Err(ScanError::Precompiled);
    }
    if bytes.starts_with(MODULE) {
        return Err(ScanError::NotComponent {
            found: "a core module",
        });
    }
    if bytes.starts_with(COMPONENT) {
        return Ok(());
    }
    if bytes.starts_with(b"\0asm") || COMPONENT.starts_with(bytes) {
        return Err(ScanError::Malformed {
            offset: 4,
            detail: "the version after the magic number is not that of a component".to_owned(),
        });
    }
    Err(ScanError::NotComponent {
        found: "no WebAssembly at all",
    })
}

fn validate(bytes: &[u8]) -> Result<(), ScanError> {
    let Err(refused) = Validator::new_with_features(FEATURES).validate_all(bytes) else {
        return Ok(());
    };
    // Valid with everything on means that only a feature is in the way.
    if Validator::new_with_features(WasmFeatures::all())
        .validate_all(bytes)
        .is_ok()
    {
        return Err(ScanError::FeatureDenied {
            detail: refusal_of(&refused),
        });
    }
    Err(ScanError::Malformed {
        offset: offset(&refused),
        detail: refusal_of(&refused),
    })
}

fn offset(error: &wasmparser::BinaryReaderError) -> u64 {
    u64::try_from(error.offset()).unwrap_or(u64::MAX)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

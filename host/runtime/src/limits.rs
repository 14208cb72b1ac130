//! Every number the runtime refuses at, each with the reason for it.
//!
//! Scan limits bound what Cranelift may be given: compile time and memory are superlinear in
//! some of them, and neither fuel nor epochs bound a compilation. Run limits bound one call.
//! All of them refuse; only [`Limits::slots`] makes a caller wait.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Address space kept for one linear memory, and so the most [`Limits::memory_bytes`] may be.
///
/// wasmtime's default is 4 GiB, which saves every bounds check but does not fit under an
/// `RLIMIT_AS` of 2 GiB. 512 MiB is a k = 16 witness of 32 columns three times over. It is part
/// of the compiled code: changing it makes every cached artifact a miss.
pub const MEMORY_RESERVATION: u64 = 512 << 20;

/// Unmapped bytes before and after a linear memory: loads with a static offset up to this need
/// one bounds check for many. wasmtime's default for 64-bit hosts.
pub const MEMORY_GUARD: u64 = 32 << 20;

/// Machine stack for WebAssembly frames. Twice wasmtime's default, because gadget code nests
/// closures deeply, and half of a Rust thread's default stack, so that the host's frames fit.
pub const WASM_STACK: usize = 1 << 20;

/// How often the epoch ticks: the precision of [`Limits::call_time`]. A hundred wake-ups a
/// second cost nothing that can be measured.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Text of a plugin's that may appear in an error or a log line: a screenful.
pub const TEXT_BYTES: usize = 2048;

/// Parameters of a core function. A Rust function has at most a few dozen.
pub(crate) const PARAMS: u64 = 256;

/// Results of a core function: a call of one with 1,000 results makes 1,000 values
/// out of three bytes.
pub(crate) const RESULTS: u64 = 32;

/// Component and core instances. Components that instantiate each other several times multiply,
/// and the compiler writes out the product.
pub(crate) const INSTANCES: u64 = 64;

/// Bytes of one artifact. Compiled code is about four times its component of at most 8 MiB.
pub(crate) const ARTIFACT_BYTES: u64 = 64 << 20;

/// Bytes of all artifacts: a few hundred plugins. The longest unused go first.
pub(crate) const CACHE_BYTES: u64 = 1 << 30;

/// A name is a path segment, a label and part of a file name.
pub(crate) const NAME_BYTES: usize = 63;

/// Longest version: `18446744073709551615` thrice is not a version anyone publishes.
pub(crate) const VERSION_BYTES: usize = 64;

/// One sentence.
pub(crate) const SUMMARY_BYTES: usize = 512;

/// What the runtime refuses at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of an uploaded component. Ours have 0.5 to 0.6 MB, one with all of Orchard's gadgets
    /// 1.6 MB; 8 MiB leaves room for tables in data segments and keeps a scan under 0.2 s.
    pub component_bytes: u64,
    /// Core modules in a component. `wit-component` makes three or four (main, shim, fixups).
    pub modules: u32,
    /// Components in a component. `wit-component` makes one for each exported interface.
    pub components: u32,
    /// Depth of components in components: ours are one deep.
    pub component_depth: u32,
    /// Items of all component-level sections together: types, imports, exports, aliases,
    /// instances, canonical functions. Our world makes 154.
    pub component_items: u32,
    /// Bytes of all component-level type sections: the validator resolves what stands in them,
    /// and our world's take 2.4 KiB.
    pub component_type_bytes: u64,
    /// Types of all core modules together. Ours have 45, a whole halo2 prover about 200.
    pub types: u32,
    /// Functions of all core modules together. Ours have 1,600 to 1,900, three times the code
    /// about 5,000; 200,000 trivial ones took Cranelift 6.4 s and 1.2 GB.
    pub functions: u32,
    /// Bytes of one function's body. The largest of ours has 12 KiB at
    /// opt-level 3; what a generator of circuits unrolls can be ten times that.
    pub body_bytes: u64,
    /// Locals of one function, parameters not counted. 50,000 are a known compile bomb; no
    /// function of ours has more than 61.
    pub locals: u32,
    /// Blocks, loops, ifs and branch-table targets of one function: 299 in ours.
    pub blocks: u32,
    /// Depth of blocks in blocks: dispatch on large enums nests a block for each case. 46 in
    /// ours.
    pub block_depth: u32,
    /// The sum over functions of locals times blocks: what makes the compiler superlinear. One
    /// function at 2,000,000 took 0.5 s and 118 MB, at 10,000,000 3.7 s and 496 MB, at 20,000,000
    /// 14 s and 889 MB; all functions of ours together have 191,000.
    pub local_blocks: u64,
    /// Imports, exports, globals, element and data segments of all core modules together: 24 in
    /// ours, a data segment for each constant in modules made by other compilers.
    pub module_items: u32,
    /// Linear memories of all core modules together: one pool slot has one.
    pub memories: u32,
    /// Tables of all core modules together. The plugin has one and `wit-component`'s shim another.
    pub tables: u32,

    /// Bytes of linear memory a call may use. Recording a k = 14 circuit of 40 columns takes
    /// under 100 MiB.
    pub memory_bytes: u64,
    /// Elements of a table: ours have 364 function pointers, a whole halo2 prover under 3,000.
    pub table_elements: u32,
    /// Core instances of one component instance: as many as modules.
    pub core_instances: u32,
    /// Wall time of one call, instantiation included. A k = 14 recording takes 0.2 s; the
    /// rest is for 65,536 Merkle leaves on a busy core.
    pub call_time: Duration,
    /// Bytes that one call may return, as the host counts them while it copies: a k = 14 witness
    /// of 100 columns is 52 MiB.
    pub output_bytes: u64,
    /// Bytes of parameters and of an input, each. The gateway takes 8 MiB of JSON.
    pub input_bytes: u64,
    /// Bytes of log kept for one call; the rest is counted. A person reads no more.
    pub log_bytes: u64,
    /// Calls of the log import in one call. At 0.1 µs each, a million stay far below the
    /// deadline, and no honest plugin writes a thousand.
    pub log_calls: u64,
    /// Live component handles in one call. Our world has no resources, so any is too many; a few
    /// are allowed for a component's internal ones.
    pub handles: u32,
    /// Calls at the same time on one sandbox; more of them wait. Each slot reserves
    /// [`MEMORY_RESERVATION`] and two guards. A child process makes one call at a time.
    pub slots: u32,

    /// Bytes of each JSON Schema and of the default parameters: the gateway compiles it for
    /// every submission.
    pub schema_bytes: u64,
    /// Public inputs a description may name: a proof with more is read by no one.
    pub described_public_inputs: u32,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: 8 << 20,
            modules: 16,
            components: 16,
            component_depth: 4,
            component_items: 2_000,
            component_type_bytes: 64 << 10,
            types: 5_000,
            functions: 10_000,
            body_bytes: 128 << 10,
            locals: 2_000,
            blocks: 5_000,
            block_depth: 500,
            local_blocks: 10_000_000,
            module_items: 10_000,
            memories: 1,
            tables: 4,
            memory_bytes: 256 << 20,
            table_elements: 20_000,
            core_instances: 32,
            call_time: Duration::from_secs(30),
            output_bytes: 64 << 20,
            input_bytes: 8 << 20,
            log_bytes: 64 << 10,
            log_calls: 1_000_000,
            handles: 64,
            slots: 1,
            schema_bytes: 64 << 10,
            described_public_inputs: 256,
        }
    }
}

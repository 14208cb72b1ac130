//! What a call can come to, each with a stable code.
//!
//! No variant carries bytes of a plugin that were not made fit to be shown, and none of a call
//! with private inputs carries what the plugin wrote to its log.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::scan::ScanError;

/// Why a component did not compile, load or answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The component was refused before anything was compiled.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Cranelift refused what the scan let pass.
    #[error("the component does not compile: {detail}")]
    Compile {
        /// What the compiler said.
        detail: String,
    },
    /// Compiled code is from another engine, or not compiled code.
    #[error("the compiled code does not belong to this engine: compile the component again")]
    Artifact,
    /// An export is missing or has other types than the contract.
    #[error("the component does not implement aureole:circuit/plugin@0.1: {detail}")]
    World {
        /// Which function, and what differs.
        detail: String,
    },
    /// The plugin trapped.
    #[error("the plugin trapped: {kind}{}", panic_suffix(panic.as_deref()))]
    Trap {
        /// The kind of trap.
        kind: TrapKind,
        /// The last error line of its log, which the SDK's panic hook writes; never for a call
        /// that had an input.
        panic: Option<String>,
    },
    /// The call took too long.
    #[error("the plugin ran longer than {limit:?}: make it do less, or ask for a higher limit")]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// The plugin recursed too deeply.
    #[error("the plugin used more than {limit} bytes of stack")]
    StackOverflow {
        /// The limit.
        limit: u64,
    },
    /// The plugin asked for too much memory.
    #[error("the plugin asked for {asked} bytes of memory, {limit} are allowed")]
    MemoryLimit {
        /// Bytes it would have had.
        asked: u64,
        /// The limit.
        limit: u64,
    },
    /// The plugin asked for too large a table.
    #[error("the plugin asked for a table of {asked} elements, {limit} are allowed")]
    TableLimit {
        /// Elements it would have had.
        asked: u64,
        /// The limit.
        limit: u64,
    },
    /// The plugin holds too many component handles.
    #[error("the plugin holds more than {limit} handles")]
    HandleLimit {
        /// The limit.
        limit: u64,
    },
    /// The plugin broke the component model's calling convention.
    #[error("the plugin broke the component model's calling convention: {detail}")]
    AbiViolation {
        /// What was wrong.
        detail: String,
    },
    /// The plugin called the host too often, or with too much.
    #[error("the plugin asked too much of the host: more than {limit} {unit} in the log import")]
    HostcallLimit {
        /// The limit.
        limit: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// The plugin returned too much.
    #[error("the plugin returned more than {limit} bytes")]
    OutputTooLarge {
        /// The limit.
        limit: u64,
    },
    /// A byte list in the result is not a whole number of entries.
    #[error("the plugin's `{item}` has {bytes} bytes, which is no multiple of {unit}")]
    OutputMalformed {
        /// Which list.
        item: &'static str,
        /// Its length.
        bytes: u64,
        /// Bytes of one entry.
        unit: u64,
    },
    /// What is passed to the plugin is too long.
    #[error("the {item} has {bytes} bytes, {limit} are allowed")]
    InputTooLarge {
        /// `parameters` or `input`.
        item: &'static str,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The plugin refuses the parameters.
    #[error("{}", .0.message)]
    Params(Problem),
    /// The plugin refuses the input.
    #[error("{}", .0.message)]
    Input(Problem),
    /// The plugin says that it failed.
    #[error("the plugin failed: {detail}")]
    Internal {
        /// Its words.
        detail: String,
    },
    /// What the plugin says of itself is not acceptable.
    #[error("{item}: {detail}")]
    Description {
        /// The stable code.
        code: &'static str,
        /// Which field.
        item: &'static str,
        /// What is wrong and what would be right.
        detail: String,
    },
    /// The sandbox itself failed: not the plugin's doing.
    #[error("the sandbox failed: {detail}")]
    Sandbox {
        /// What happened.
        detail: String,
    },
}

/// What is wrong with one place of a JSON document, in the plugin's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// JSON pointer; empty for the whole document.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// Kinds of traps that a tenant may tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TrapKind {
    /// `unreachable`: in Rust, a panic.
    Unreachable,
    /// A load or store outside the memory.
    MemoryOutOfBounds,
    /// A table access outside the table.
    TableOutOfBounds,
    /// A call through an empty table element.
    IndirectCallToNull,
    /// A call through a table element of another type.
    BadSignature,
    /// A division by zero.
    DivisionByZero,
    /// An overflowing division.
    IntegerOverflow,
    /// A conversion of a number that does not fit.
    BadConversion,
    /// Anything else.
    Other,
}

// === impl Error ===

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Scan(error) => error.code(),
            Self::Compile { .. } => "plugin.compile_failed",
            Self::Artifact => "plugin.artifact",
            Self::World { .. } => "plugin.world_mismatch",
            Self::Trap { .. } => "plugin.trap",
            Self::Timeout { .. } => "plugin.timeout",
            Self::StackOverflow { .. } => "plugin.stack_overflow",
            Self::MemoryLimit { .. } => "plugin.memory_limit",
            Self::TableLimit { .. } => "plugin.table_limit",
            Self::HandleLimit { .. } => "plugin.handle_limit",
            Self::AbiViolation { .. } => "plugin.abi_violation",
            Self::HostcallLimit { .. } => "plugin.hostcall_limit",
            Self::OutputTooLarge { .. } => "plugin.output_limit",
            Self::OutputMalformed { .. } => "plugin.output_malformed",
            Self::InputTooLarge {
                item: "parameters", ..
            } => "params.too_large",
            Self::InputTooLarge { .. } => "input.too_large",
            Self::Params(_) => "params.invalid",
            Self::Input(_) => "input.invalid",
            Self::Internal { .. } => "plugin.internal",
            Self::Description { code, .. } => code,
            Self::Sandbox { .. } => "sandbox.failed",
        }
    }

    /// Which place of the parameters or the input is meant, as a JSON pointer.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Params(problem) | Self::Input(problem) => Some(&problem.path),
            _ => None,
        }
    }

    /// Whether another attempt could end otherwise: it was the machine, not the plugin.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Artifact | Self::Sandbox { .. })
    }
}

fn panic_suffix(panic: Option<&str>) -> String {
    panic.map(|text| format!(": {text}")).unwrap_or_default()
}

// === impl TrapKind ===

impl std::fmt::Display for TrapKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "unreachable code was reached (a panic)",
            Self::MemoryOutOfBounds => "memory access out of bounds",
            Self::TableOutOfBounds => "table access out of bounds",
            Self::IndirectCallToNull => "indirect call of nothing",
            Self::BadSignature => "indirect call of another type",
            Self::DivisionByZero => "division by zero",
            Self::IntegerOverflow => "integer overflow",
            Self::BadConversion => "number does not fit its new type",
            Self::Other => "illegal operation",
        })
    }
}

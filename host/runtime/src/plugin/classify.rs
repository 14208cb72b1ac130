//! Which of our errors an error of wasmtime's is.

use thiserror::Error;
use wasmtime::{Trap, WasmBacktrace};

use crate::{
    error::{Error, TrapKind},
    limits::{Limits, WASM_STACK},
    sandbox::shown,
};

/// Raised by our own host functions and limiter, through the guest, to the caller.
#[derive(Clone, Copy, Debug, Error)]
pub(crate) enum LimitHit {
    #[error("memory limit")]
    Memory { asked: u64 },
    #[error("table limit")]
    Table { asked: u64 },
    #[error("log call limit")]
    LogCalls,
}

/// wasmtime has no public type for these two; tests hold the texts fast.
const FUEL_EXHAUSTED: &str = "fuel allocated for hostcalls has been exhausted";
const HANDLES_EXHAUSTED: &str = "store handle limit exceeded";

pub(crate) fn classify(error: &wasmtime::Error, limits: &Limits) -> Error {
    if let Some(hit) = error.downcast_ref::<LimitHit>() {
        return match *hit {
            LimitHit::Memory { asked } => Error::MemoryLimit {
                asked,
                limit: limits.memory_bytes,
            },
            LimitHit::Table { asked } => Error::TableLimit {
                asked,
                limit: limits.table_elements.into(),
            },
            LimitHit::LogCalls => Error::HostcallLimit {
                limit: limits.log_calls,
                unit: "calls",
            },
        };
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return trapped(*trap, limits);
    }
    let root = error.root_cause().to_string();
    if root.contains(FUEL_EXHAUSTED) {
        // With frames of the guest, it was a call of the host's; without, the result.
        return if error.downcast_ref::<WasmBacktrace>().is_some() {
            Error::HostcallLimit {
                limit: limits.output_bytes,
                unit: "bytes",
            }
        } else {
            Error::OutputTooLarge {
                limit: limits.output_bytes,
            }
        };
    }
    if root.contains(HANDLES_EXHAUSTED) {
        return Error::HandleLimit {
            limit: limits.handles.into(),
        };
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return Error::Sandbox {
            detail: shown(error),
        };
    }
    Error::AbiViolation {
        detail: shown(error),
    }
}

fn trapped(trap: Trap, limits: &Limits) -> Error {
    let kind = match trap {
        Trap::Interrupt => {
            return Error::Timeout {
                limit: limits.call_time,
            };
        }
        Trap::StackOverflow => {
            return Error::StackOverflow {
                limit: u64::try_from(WASM_STACK).unwrap_or(u64::MAX),
            };
        }
        Trap::UnreachableCodeReached => TrapKind::Unreachable,
        Trap::MemoryOutOfBounds => TrapKind::MemoryOutOfBounds,
        Trap::TableOutOfBounds => TrapKind::TableOutOfBounds,
        Trap::IndirectCallToNull => TrapKind::IndirectCallToNull,
        Trap::BadSignature => TrapKind::BadSignature,
        Trap::IntegerDivisionByZero => TrapKind::DivisionByZero,
        Trap::IntegerOverflow => TrapKind::IntegerOverflow,
        Trap::BadConversionToInteger => TrapKind::BadConversion,
        Trap::CannotEnterComponent
        | Trap::CannotLeaveComponent
        | Trap::CannotBlockSyncTask
        | Trap::InvalidChar
        | Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::UnalignedPointer => {
            return Error::AbiViolation {
                detail: trap.to_string(),
            };
        }
        _ => TrapKind::Other,
    };
    Error::Trap { kind, panic: None }
}

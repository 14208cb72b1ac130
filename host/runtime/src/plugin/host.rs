//! What a call can touch of the host: its limits and its log.

use serde::{Deserialize, Serialize};
use wasmtime::ResourceLimiter;

use super::{bindings::Level, classify::LimitHit};
use crate::limits::{Limits, TEXT_BYTES};

/// A store's data.
pub(crate) struct Host {
    pub(crate) limiter: Limiter,
    pub(crate) log: LogBook,
}

/// Grants memory and tables up to the limits. Beyond them the call ends: an allocator that is
/// told "no" only traps in its own way, and the tenant would learn nothing.
pub(crate) struct Limiter {
    memory_limit: u64,
    table_limit: u64,
    /// Most bytes any memory had.
    pub(super) memory_bytes: u64,
}

/// The log of one call while it runs.
pub(crate) struct LogBook {
    log: Log,
    bytes: u64,
    bytes_limit: u64,
    calls: u64,
    calls_limit: u64,
    last_error: Option<String>,
}

/// What a plugin logged in one call: the first lines, and how much came after them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// The lines kept, in order, each fit to be shown.
    pub lines: Vec<LogLine>,
    /// Lines not kept.
    pub dropped_lines: u64,
    /// Bytes not kept, those cut from kept lines included.
    pub dropped_bytes: u64,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How grave the plugin thinks it is.
    pub level: LogLevel,
    /// The text, at most [`TEXT_BYTES`] bytes.
    pub message: String,
}

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// Worth knowing.
    Info,
    /// Probably not meant.
    Warn,
    /// What failed; a panic's message comes at this level.
    Error,
}

// === impl Host ===

impl Host {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limiter: Limiter {
                memory_limit: limits.memory_bytes,
                table_limit: limits.table_elements.into(),
                memory_bytes: 0,
            },
            log: LogBook {
                log: Log::default(),
                bytes: 0,
                bytes_limit: limits.log_bytes,
                calls: 0,
                calls_limit: limits.log_calls,
                last_error: None,
            },
        }
    }
}

// === impl Limiter ===

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let asked = u64::try_from(desired).unwrap_or(u64::MAX);
        if asked > self.memory_limit {
            return Err(LimitHit::Memory { asked }.into());
        }
        self.memory_bytes = self.memory_bytes.max(asked);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let asked = u64::try_from(desired).unwrap_or(u64::MAX);
        if asked > self.table_limit {
            return Err(LimitHit::Table { asked }.into());
        }
        Ok(true)
    }
}

// === impl LogBook ===

impl LogBook {
    /// Counts a call of the import, which costs even when nothing is kept.
    pub(crate) fn count_call(&mut self) -> Result<(), LimitHit> {
        self.calls += 1;
        if self.calls > self.calls_limit {
            Err(LimitHit::LogCalls)
        } else {
            Ok(())
        }
    }

    /// Bytes that the next line may have.
    pub(crate) fn room(&self) -> usize {
        let left = self.bytes_limit.saturating_sub(self.bytes);
        usize::try_from(left).unwrap_or(usize::MAX).min(TEXT_BYTES)
    }

    /// Adds a line of which `bytes` were written and `kept` is left.
    pub(crate) fn push(&mut self, level: Level, kept: String, bytes: u64) {
        let kept_bytes = u64::try_from(kept.len()).unwrap_or(u64::MAX);
        self.log.dropped_bytes = self
            .log
            .dropped_bytes
            .saturating_add(bytes.saturating_sub(kept_bytes));
        if level == Level::Error && !kept.is_empty() {
            self.last_error = Some(kept.clone());
        }
        // An empty line costs one byte, so that their number is bounded too.
        let cost = kept_bytes.max(1);
        if self.bytes.saturating_add(cost) > self.bytes_limit || (kept.is_empty() && bytes > 0) {
            self.log.dropped_lines += 1;
            return;
        }
        self.bytes += cost;
        self.log.lines.push(LogLine {
            level: level.into(),
            message: kept,
        });
    }

    /// The log, and the last line at level error.
    pub(super) fn into_parts(self) -> (Log, Option<String>) {
        (self.log, self.last_error)
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

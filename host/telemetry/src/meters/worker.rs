//! What a worker does with its leases.

use std::sync::Arc;
use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, Registry};

use super::{counters, histograms};
use crate::MeterError;
use crate::capped::Capped;
use crate::limits::{CODES_MAX, STAGE_BUCKETS};

/// The worker's meters. The default is silent.
#[derive(Clone, Debug, Default)]
pub struct WorkerMeters(Option<Arc<Families>>);

#[derive(Debug)]
struct Families {
    /// Three kinds of work, five ends.
    attempts: IntCounterVec,
    refusals: IntCounterVec,
    codes: Capped,
    stages: HistogramVec,
    /// Three caches, two results.
    caches: IntCounterVec,
}

/// How an attempt ended on its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With a result.
    Done,
    /// The plugin, its parameters or the input is to blame.
    Refused,
    /// Something failed that may go well elsewhere.
    Failed,
    /// It was told to stop.
    Stopped,
}

// === impl Ended ===

impl Ended {
    const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

// === impl WorkerMeters ===

impl WorkerMeters {
    pub(super) fn new(registry: &Registry) -> Result<Self, MeterError> {
        let families = Families {
            attempts: counters(
                registry,
                (
                    "aureole_worker_attempts_total",
                    "Attempts that ended on this worker.",
                ),
                &["work", "ended"],
            )?,
            refusals: counters(
                registry,
                (
                    "aureole_sandbox_refusals_total",
                    "Attempts that a plugin's sandbox or a check of its circuit or input refused.",
                ),
                &["reason"],
            )?,
            codes: Capped::new(CODES_MAX),
            stages: histograms(
                registry,
                (
                    "aureole_worker_stage_duration_seconds",
                    "Time that attempts with a result spent in a stage on this worker.",
                ),
                &["stage"],
                &STAGE_BUCKETS,
            )?,
            caches: counters(
                registry,
                (
                    "aureole_worker_cache_requests_total",
                    "Looks into this worker's caches: keys, code and blobs.",
                ),
                &["cache", "result"],
            )?,
        };
        Ok(Self(Some(Arc::new(families))))
    }

    /// Counts an attempt's end.
    pub fn attempt(&self, work: &'static str, ended: Ended) {
        if let Some(families) = &self.0 {
            let labels = [work, ended.name()];
            families.attempts.with_label_values(&labels).inc();
        }
    }

    /// Counts a refusal by its code, which may be a child's word.
    pub fn refused(&self, code: &str) {
        let Some(families) = &self.0 else { return };
        let labels = [families.codes.name(code)];
        families.refusals.with_label_values(&labels).inc();
    }

    /// Counts the time of a stage.
    pub fn stage(&self, stage: &'static str, took: Duration) {
        if let Some(families) = &self.0 {
            let seconds = families.stages.with_label_values(&[stage]);
            seconds.observe(took.as_secs_f64());
        }
    }

    /// Counts a look into a cache.
    pub fn looked(&self, cache: &'static str, hit: bool) {
        if let Some(families) = &self.0 {
            let labels = [cache, if hit { "hit" } else { "miss" }];
            families.caches.with_label_values(&labels).inc();
        }
    }
}

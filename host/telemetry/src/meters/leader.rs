//! What a leader carries out. A follower's stand still.

use std::sync::Arc;
use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, Registry};

use super::{counters, histograms};
use crate::MeterError;
use crate::capped::Capped;
use crate::limits::{CODES_MAX, STAGE_BUCKETS};

/// The code of a proof that a worker gave out as good and another process found to be none.
const PROOF_INVALID: &str = "proof.invalid";

/// The coordinator's meters. The default is silent.
#[derive(Clone, Debug, Default)]
pub struct LeaderMeters(Option<Arc<Families>>);

#[derive(Debug)]
struct Families {
    submitted: IntCounterVec,
    ended: IntCounterVec,
    leases: IntCounterVec,
    /// Attempts that ended without a result, by code.
    lost: IntCounterVec,
    codes: Capped,
    /// By stage: eight of them.
    stages: HistogramVec,
    seconds: HistogramVec,
}

// === impl LeaderMeters ===

impl LeaderMeters {
    pub(super) fn new(registry: &Registry) -> Result<Self, MeterError> {
        let families = Families {
            submitted: counters(
                registry,
                (
                    "aureole_tasks_submitted_total",
                    "Tasks that this leader accepted.",
                ),
                &["kind"],
            )?,
            ended: counters(
                registry,
                (
                    "aureole_tasks_ended_total",
                    "Tasks that ended under this leader.",
                ),
                &["state"],
            )?,
            leases: counters(
                registry,
                (
                    "aureole_leases_granted_total",
                    "Leases that this leader gave to workers.",
                ),
                &[],
            )?,
            lost: counters(
                registry,
                (
                    "aureole_attempts_lost_total",
                    "Attempts that ended without a result, by why and by whether the task got another one.",
                ),
                &["reason", "retried"],
            )?,
            codes: Capped::new(CODES_MAX),
            stages: histograms(
                registry,
                (
                    "aureole_stage_duration_seconds",
                    "Time that tasks which ended well spent in a stage.",
                ),
                &["stage"],
                &STAGE_BUCKETS,
            )?,
            seconds: histograms(
                registry,
                (
                    "aureole_task_duration_seconds",
                    "Time from a task's submission to its end, of tasks that ended well.",
                ),
                &[],
                &STAGE_BUCKETS,
            )?,
        };
        // At zero from the start: a rise from nothing is none to an alert.
        for retried in ["true", "false"] {
            let labels = [families.codes.name(PROOF_INVALID), retried];
            families.lost.with_label_values(&labels).inc_by(0);
        }
        Ok(Self(Some(Arc::new(families))))
    }

    /// Counts a task that was accepted: inspect, prepare or prove.
    pub fn submitted(&self, kind: &'static str) {
        if let Some(families) = &self.0 {
            families.submitted.with_label_values(&[kind]).inc();
        }
    }

    /// Counts the ends of so many tasks: done, failed or cancelled.
    pub fn ended(&self, state: &'static str, tasks: u64) {
        if let Some(families) = &self.0 {
            families.ended.with_label_values(&[state]).inc_by(tasks);
        }
    }

    /// Counts a lease.
    pub fn leased(&self) {
        if let Some(families) = &self.0 {
            families.leases.with_label_values::<&str>(&[]).inc();
        }
    }

    /// Counts an attempt without a result; the code may be a worker's word.
    pub fn lost(&self, code: &str, retried: bool) {
        let Some(families) = &self.0 else { return };
        let retried = if retried { "true" } else { "false" };
        let labels = [families.codes.name(code), retried];
        families.lost.with_label_values(&labels).inc();
    }

    /// Counts what a task that ended well spent in a stage.
    pub fn stage(&self, stage: &'static str, took: Duration) {
        if let Some(families) = &self.0 {
            let seconds = families.stages.with_label_values(&[stage]);
            seconds.observe(took.as_secs_f64());
        }
    }

    /// Counts how long a task took that ended well.
    pub fn took(&self, took: Duration) {
        if let Some(families) = &self.0 {
            let seconds = families.seconds.with_label_values::<&str>(&[]);
            seconds.observe(took.as_secs_f64());
        }
    }
}

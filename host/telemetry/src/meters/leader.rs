//! What a leader carries out. A follower's stand still.

use std::sync::Arc;
use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntCounterVec, Registry};

use super::words::Words;
use super::{counters, histograms};
use crate::MeterError;
use crate::capped::Capped;
use crate::limits::{CODES_MAX, STAGE_BUCKETS};

/// The code of a proof that a worker gave out as good and another process found to be none.
const PROOF_INVALID: &str = "proof.invalid";

/// What is done with a task: inspect a plugin, prepare a circuit, prove.
const KINDS: [&str; 3] = ["inspect", "prepare", "prove"];

/// How a task ends.
const ENDS: [&str; 3] = ["done", "failed", "cancelled"];

/// Where a task's time goes, in the order it passes through them.
const STAGES: [&str; 8] = [
    "queue", "compile", "inspect", "keygen", "witness", "check", "prove", "verify",
];

/// The coordinator's meters. The default is silent.
#[derive(Clone, Debug, Default)]
pub struct LeaderMeters(Option<Arc<Families>>);

#[derive(Debug)]
struct Families {
    submitted: Words<IntCounter>,
    ended: Words<IntCounter>,
    leases: IntCounter,
    /// Attempts that ended without a result, by code: seldom enough to be looked up.
    lost: IntCounterVec,
    codes: Capped,
    stages: Words<Histogram>,
    seconds: Histogram,
}

// === impl LeaderMeters ===

impl LeaderMeters {
    pub(super) fn new(registry: &Registry) -> Result<Self, MeterError> {
        let tasks = |(name, help), label, words: &[&'static str]| {
            let family = counters(registry, (name, help), &[label])?;
            Ok::<_, MeterError>(Words::new(&family, words))
        };
        let none: [&str; 0] = [];
        let leases = (
            "aureole_leases_granted_total",
            "Leases that this leader gave to workers.",
        );
        let lost = (
            "aureole_attempts_lost_total",
            "Attempts that ended without a result, by why and by whether the task got another one.",
        );
        let stages = (
            "aureole_stage_duration_seconds",
            "Time that tasks which ended well spent in a stage.",
        );
        let seconds = (
            "aureole_task_duration_seconds",
            "Time from a task's submission to its end, of tasks that ended well.",
        );
        let families = Families {
            submitted: tasks(
                (
                    "aureole_tasks_submitted_total",
                    "Tasks that this leader accepted.",
                ),
                "kind",
                &KINDS,
            )?,
            ended: tasks(
                (
                    "aureole_tasks_ended_total",
                    "Tasks that ended under this leader.",
                ),
                "state",
                &ENDS,
            )?,
            leases: counters(registry, leases, &[])?.with_label_values(&none),
            lost: counters(registry, lost, &["reason", "retried"])?,
            codes: Capped::new(CODES_MAX),
            stages: Words::new(
                &histograms(registry, stages, &["stage"], &STAGE_BUCKETS)?,
                &STAGES,
            ),
            seconds: histograms(registry, seconds, &[], &STAGE_BUCKETS)?.with_label_values(&none),
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
        if let Some(series) = self.families().and_then(|all| all.submitted.get(kind)) {
            series.inc();
        }
    }

    /// Counts the ends of so many tasks: done, failed or cancelled.
    pub fn ended(&self, state: &'static str, tasks: u64) {
        if let Some(series) = self.families().and_then(|all| all.ended.get(state)) {
            series.inc_by(tasks);
        }
    }

    /// Counts a lease.
    pub fn leased(&self) {
        if let Some(families) = self.families() {
            families.leases.inc();
        }
    }

    /// Counts an attempt without a result; the code may be a worker's word.
    pub fn lost(&self, code: &str, retried: bool) {
        let Some(families) = self.families() else {
            return;
        };
        let retried = if retried { "true" } else { "false" };
        let labels = [families.codes.name(code), retried];
        families.lost.with_label_values(&labels).inc();
    }

    /// Counts what a task that ended well spent in a stage.
    pub fn stage(&self, stage: &'static str, took: Duration) {
        if let Some(series) = self.families().and_then(|all| all.stages.get(stage)) {
            series.observe(took.as_secs_f64());
        }
    }

    /// Counts how long a task took that ended well.
    pub fn took(&self, took: Duration) {
        if let Some(families) = self.families() {
            families.seconds.observe(took.as_secs_f64());
        }
    }

    /// Whether nobody asks for what is counted.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.0.is_none()
    }

    fn families(&self) -> Option<&Families> {
        self.0.as_deref()
    }
}

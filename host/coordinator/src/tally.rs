//! Counting: what a carried-out command means to those who watch the cluster.
//!
//! A note is taken before a command is proposed and counted after its outcome is known, so that what
//! was refused or lost counts nothing. Only a leader proposes: a follower's meters stand still.

use std::time::Duration;

use aureole_ledger::{Command, Expiry, Outcome, State, TaskId};
use aureole_telemetry::LeaderMeters;

/// What a command is about, as far as somebody counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// It queues a task of this kind.
    Submits(&'static str),
    /// It gives a lease.
    Leases,
    /// It ends a task well.
    Completes(TaskId),
    /// It ends an attempt without a result, for this reason.
    Loses(String),
    /// It ends a task, or several, by somebody's word or by a deadline.
    Ends,
    /// Nobody counts it.
    Nothing,
}

// === impl Note ===

impl Note {
    /// Notes what a command is about.
    pub(crate) fn of(command: &Command) -> Self {
        match command {
            Command::SubmitTask { .. } => Self::Submits("prove"),
            Command::RegisterPlugin { .. } => Self::Submits("inspect"),
            Command::RegisterCircuit { .. } => Self::Submits("prepare"),
            Command::LeaseTask { .. } => Self::Leases,
            Command::CompleteTask { task, .. } => Self::Completes(*task),
            Command::FailAttempt { problem, .. } => Self::Loses(problem.code.clone()),
            Command::ExpireLease { reason, .. } => Self::Loses(lapse(*reason).to_owned()),
            Command::CancelTask { .. }
            | Command::ExpireTask { .. }
            | Command::RevokeVerifyingKey { .. } => Self::Ends,
            _ => Self::Nothing,
        }
    }

    /// Counts what came of it. Returns the task whose times are still to be counted.
    pub(crate) fn count(self, outcome: &Outcome, meters: &LeaderMeters) -> Option<TaskId> {
        match (self, outcome) {
            (
                Self::Submits(kind),
                Outcome::TaskSubmitted { created: true, .. }
                | Outcome::PluginRegistered { created: true, .. }
                | Outcome::CircuitRegistered { created: true, .. },
            ) => meters.submitted(kind),
            (Self::Leases, Outcome::Leased) => meters.leased(),
            (Self::Completes(task), Outcome::Completed { .. }) => {
                meters.ended("done", 1);
                return Some(task);
            }
            (Self::Loses(code), Outcome::AttemptEnded { requeued, .. }) => {
                meters.lost(&code, *requeued);
                if !requeued {
                    meters.ended("failed", 1);
                }
            }
            (Self::Ends, Outcome::Cancelled { .. }) => meters.ended("cancelled", 1),
            (Self::Ends, Outcome::TaskExpired { .. }) => meters.ended("failed", 1),
            (Self::Ends, Outcome::VerifyingKeyRevoked { failed, .. }) => {
                meters.ended("failed", *failed);
            }
            _ => {}
        }
        None
    }
}

/// A lease that ran out has no problem of its own; these are its codes in the counters.
const fn lapse(reason: Expiry) -> &'static str {
    match reason {
        Expiry::Deadline => "lease.expired",
        Expiry::WorkerRestarted => "lease.worker_restarted",
        Expiry::NodeRestarted => "lease.node_restarted",
    }
}

/// Counts what a task that ended well took, which the ledger knows; one that it has forgotten already
/// counts no time.
pub(crate) fn count_times(state: &State, task: TaskId, meters: &LeaderMeters) {
    let Some(task) = state.task(&task) else {
        return;
    };
    for (stage, micros) in &task.timings {
        meters.stage(stage.name(), Duration::from_micros(*micros));
    }
    if let Some(finished) = task.finished_at {
        let all = finished.saturating_sub(task.submitted_at);
        meters.took(Duration::from_millis(all));
    }
}

#[cfg(test)]
mod tests {
    //! A repeated or refused command counts nothing, and a lost attempt counts by its reason.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use aureole_ledger::{Problem, Refusal, Stage, WorkerId, codes};
    use aureole_telemetry::{Meters, Sheet};

    use super::*;

    const TASK: TaskId = TaskId::from_bytes([7; 16]);

    fn failing() -> Command {
        Command::FailAttempt {
            task: TASK,
            attempt: 1,
            worker: WorkerId::new("w").unwrap(),
            problem: Problem::new(codes::PROOF_INVALID, "the words stay here"),
            retryable: true,
            now: 1,
        }
    }

    fn page(counted: &[(Command, Outcome)]) -> String {
        let meters = Meters::new().unwrap();
        for (command, outcome) in counted {
            assert_eq!(Note::of(command).count(outcome, &meters.leader()), None);
        }
        meters.page(Sheet::default()).unwrap()
    }

    #[test]
    fn an_attempt_without_a_result_counts_by_its_code_and_by_what_follows() {
        let ended = |requeued| Outcome::AttemptEnded {
            requeued,
            stop: Vec::new(),
        };
        let lapsed = Command::ExpireLease {
            task: TASK,
            attempt: 1,
            reason: Expiry::Deadline,
            now: 1,
        };
        let page = page(&[(failing(), ended(true)), (lapsed, ended(false))]);
        for line in [
            "aureole_attempts_lost_total{reason=\"proof.invalid\",retried=\"true\"} 1",
            "aureole_attempts_lost_total{reason=\"lease.expired\",retried=\"false\"} 1",
            "aureole_tasks_ended_total{state=\"failed\"} 1",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
        assert!(!page.contains("the words"), "{page}");
    }

    #[test]
    fn what_was_refused_or_known_before_counts_nothing() {
        let cancel = Command::CancelTask { task: TASK, now: 1 };
        let refused = Outcome::Refused(Refusal::UnknownTask(TASK));
        let known = Outcome::TaskSubmitted {
            task: TASK,
            created: false,
        };
        let page = page(&[
            (failing(), refused.clone()),
            (cancel, refused),
            (failing(), known),
        ]);
        let counted = |line: &&str| !line.starts_with('#') && !line.ends_with(" 0");
        assert_eq!(page.lines().find(counted), None, "{page}");
    }

    #[test]
    fn a_completion_names_the_task_whose_times_count() {
        let note = Note::Completes(TASK);
        let outcome = Outcome::Completed {
            stop: Vec::new(),
            leaf: None,
        };
        assert_eq!(note.count(&outcome, &LeaderMeters::default()), Some(TASK));
    }

    #[test]
    fn every_stage_has_its_series() {
        let meters = Meters::new().unwrap();
        let stages = [
            Stage::Queue,
            Stage::Compile,
            Stage::Inspect,
            Stage::Keygen,
            Stage::Witness,
            Stage::Check,
            Stage::Prove,
            Stage::Verify,
        ];
        for stage in stages {
            meters.leader().stage(stage.name(), Duration::from_secs(1));
        }
        let page = meters.page(Sheet::default()).unwrap();
        for stage in stages {
            let name = stage.name();
            let line = format!("aureole_stage_duration_seconds_count{{stage=\"{name}\"}} 1");
            assert!(page.contains(&line), "{line} is not in\n{page}");
        }
    }
}

//! Tasks: submitting, cancelling, forgetting, ending.

use super::{Step, running};
use crate::task::new_task;
use crate::{
    AttemptRef, CircuitId, CircuitState, Digest, Idempotency, Millis, Outcome, Priority, Problem,
    Refusal, State, TaskId, TaskKind, TaskPhase, TaskState, codes,
};

// === impl State ===

impl State {
    pub(super) fn submit_task(
        &mut self,
        task: TaskId,
        circuit: CircuitId,
        input: Digest,
        priority: Priority,
        idempotency: Option<Idempotency>,
        now: Millis,
    ) -> Step {
        let kind = TaskKind::Prove { circuit, input };
        if let Some(answer) = self.earlier_submission(task, kind, idempotency) {
            return answer;
        }
        let record = self
            .circuit(&circuit)
            .ok_or(Refusal::UnknownCircuit(circuit))?;
        self.check_usable(&record.plugin)?;
        if let CircuitState::Rejected(problem) = &record.state {
            return Err(Refusal::CircuitRejected {
                circuit,
                problem: problem.clone(),
            });
        }
        self.check_fresh(task)?;
        self.insert_task(new_task(task, kind, priority, idempotency, now));
        Ok(Outcome::TaskSubmitted {
            task,
            created: true,
        })
    }

    /// Answers a submission that was made before: with the same id, or with the same key.
    fn earlier_submission(
        &self,
        task: TaskId,
        kind: TaskKind,
        idempotency: Option<Idempotency>,
    ) -> Option<Step> {
        if let Some(known) = self.task(&task) {
            let same = known.kind == kind && known.idempotency == idempotency;
            return Some(if same {
                Ok(Outcome::TaskSubmitted {
                    task,
                    created: false,
                })
            } else {
                Err(Refusal::TaskExists(task))
            });
        }
        let idempotency = idempotency?;
        let first = *self.facts().idempotency.get(&idempotency.key)?;
        let same = self.task(&first)?.idempotency == Some(idempotency);
        Some(if same {
            Ok(Outcome::TaskSubmitted {
                task: first,
                created: false,
            })
        } else {
            Err(Refusal::IdempotencyConflict { task: first })
        })
    }

    pub(super) fn cancel_task(&mut self, id: &TaskId, now: Millis) -> Step {
        let task = self.task(id).ok_or(Refusal::UnknownTask(*id))?;
        match task.phase() {
            TaskPhase::Cancelled => return Ok(Outcome::Cancelled { running: None }),
            phase @ (TaskPhase::Done | TaskPhase::Failed) => {
                return Err(Refusal::TaskFinished { task: *id, phase });
            }
            TaskPhase::Queued | TaskPhase::Running => {}
        }
        if !matches!(task.kind, TaskKind::Prove { .. }) {
            return Err(Refusal::NotCancellable(*id));
        }
        let running: Option<AttemptRef> = running(task);
        let problem = Problem::new(codes::CANCELLED, "the task was cancelled");
        self.end_attempt_record(id, Some(problem), now);
        self.finish_task(id, TaskState::Cancelled, now);
        Ok(Outcome::Cancelled { running })
    }

    pub(super) fn forget_tasks(&mut self, tasks: &[TaskId]) -> Outcome {
        let mut count = 0;
        for id in tasks {
            if self.task(id).is_some_and(|task| task.is_finished()) && self.remove_task(id) {
                count += 1;
            }
        }
        Outcome::Forgotten { count }
    }

    /// Ends an unfinished task. The only way into a final state.
    pub(super) fn finish_task(&mut self, id: &TaskId, state: TaskState, now: Millis) {
        self.update_task(id, |task| {
            if !task.is_finished() {
                task.state = state;
                task.finished_at = Some(now);
            }
        });
    }
}

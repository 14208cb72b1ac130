//! Tasks: submitting, cancelling, forgetting, ending.

use super::Step;
use crate::task::new_task;
use crate::{
    CircuitId, CircuitRecord, CircuitState, Digest, Idempotency, Millis, Outcome, Priority,
    Problem, Refusal, Reservation, State, TaskId, TaskKind, TaskPhase, TaskRecord, TaskState,
    TenantId, WorkerId, codes,
};

/// A proof as it is asked for.
pub(super) struct Submission<'a> {
    pub(super) input: Digest,
    pub(super) priority: Priority,
    pub(super) idempotency: Option<Idempotency>,
    pub(super) tenant: &'a TenantId,
    pub(super) deadline: Option<Millis>,
    pub(super) input_bytes: u64,
}

// === impl State ===

impl State {
    pub(super) fn submit_task(
        &mut self,
        task: TaskId,
        circuit: CircuitId,
        submission: &Submission<'_>,
        now: Millis,
    ) -> Step {
        let Submission {
            input,
            priority,
            idempotency,
            tenant,
            deadline,
            input_bytes,
        } = *submission;
        let kind = TaskKind::Prove { circuit, input };
        if let Some(answer) = self.earlier_submission(task, kind, idempotency) {
            return answer;
        }
        self.check_active(tenant)?;
        let visible = |record: &&CircuitRecord| {
            let plugin = self.plugin(&record.plugin);
            plugin.is_some_and(|plugin| plugin.is_visible_to(tenant))
        };
        let record = self
            .circuit(&circuit)
            .filter(visible)
            .ok_or(Refusal::UnknownCircuit(circuit))?;
        self.check_usable(&record.plugin, tenant)?;
        if let CircuitState::Rejected(problem) = &record.state {
            return Err(Refusal::CircuitRejected {
                circuit,
                problem: problem.clone(),
            });
        }
        if let CircuitState::Ready(facts) = &record.state {
            self.check_unrevoked(&facts.key_digest)?;
        }
        self.check_fresh(task)?;
        self.check_task_quotas(tenant, input_bytes, now)?;
        self.insert_task(TaskRecord {
            priority,
            idempotency,
            deadline,
            input_bytes,
            ..new_task(task, kind, tenant.clone(), now)
        });
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
            TaskPhase::Cancelled => return Ok(Outcome::Cancelled { stop: Vec::new() }),
            phase @ (TaskPhase::Done | TaskPhase::Failed) => {
                return Err(Refusal::TaskFinished { task: *id, phase });
            }
            TaskPhase::Queued | TaskPhase::Running => {}
        }
        if !matches!(task.kind, TaskKind::Prove { .. }) {
            return Err(Refusal::NotCancellable(*id));
        }
        let stop = task.running();
        let problem = Problem::new(codes::CANCELLED, "the task was cancelled");
        for attempt in &stop {
            self.settle_attempt(*attempt, now);
            self.end_attempt_record(*attempt, Some(problem.clone()), now);
        }
        self.finish_task(id, TaskState::Cancelled, now);
        Ok(Outcome::Cancelled { stop })
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

    pub(super) fn reserve_worker(&mut self, id: &TaskId, worker: &WorkerId) -> Step {
        let task = self.task(id).ok_or(Refusal::UnknownTask(*id))?;
        if task.phase() != TaskPhase::Queued {
            return Err(Refusal::NotWaiting(*id));
        }
        self.facts_mut().reservation = Some(Reservation {
            task: *id,
            worker: worker.clone(),
        });
        Ok(Outcome::Reserved)
    }

    /// Ends an unfinished task, and with it the attempts that still run. The only way into a final
    /// state.
    pub(super) fn finish_task(&mut self, id: &TaskId, state: TaskState, now: Millis) {
        if self.task(id).is_none_or(TaskRecord::is_finished) {
            return;
        }
        self.count_end(id, &state);
        self.settle_cut_off(id, now);
        self.update_task(id, |task| {
            for attempt in task
                .attempts
                .iter_mut()
                .filter(|old| old.ended_at.is_none())
            {
                attempt.ended_at = Some(now);
                attempt.problem = Some(Problem::new(
                    codes::SUPERSEDED,
                    "the task ended while this attempt was running",
                ));
            }
            task.state = state;
            task.second = None;
            task.finished_at = Some(now);
        });
        self.announce(id, now);
    }

    /// Counts the end of a task that has not ended yet.
    fn count_end(&mut self, id: &TaskId, state: &TaskState) {
        let Some(task) = self.task(id).filter(|task| !task.is_finished()) else {
            return;
        };
        let (tenant, proof) = (
            task.tenant.clone(),
            matches!(task.kind, TaskKind::Prove { .. }),
        );
        let Some(usage) = self.usage_mut(&tenant) else {
            return;
        };
        match state {
            TaskState::Done(_) if proof => usage.proofs += 1,
            TaskState::Failed(_) => usage.failed += 1,
            _ => {}
        }
    }
}

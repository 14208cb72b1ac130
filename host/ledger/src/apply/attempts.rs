//! Attempts: leasing, renewing, and the four ways one ends.
//!
//! ```text
//!            lease                 complete
//!  queued ──────────▶ leased ─────────────────────▶ done
//!    ▲                  │ fail, final                 
//!    │                  ├───────────────────────────▶ failed
//!    │ budget left      │ fail, retryable             ▲
//!    └──────────────────┤ expired                     │ budget spent
//!                       └─────────────────────────────┘
//! ```
//! A lease is fenced by the attempt's number and the worker: only its holder ends it, once.

use super::Step;
use super::plugins::Inspection;
use crate::limits::{
    ATTEMPT_RECORDS_MAX, ATTEMPTS_MAX, BACKOFF_FIRST_MS, BACKOFF_MAX_MS, RETURNS_MAX,
};
use crate::{
    Attempt, AttemptRef, Completion, Expiry, Lease, Millis, Outcome, Problem, Refusal, Stage,
    State, TaskId, TaskKind, TaskPhase, TaskRecord, TaskState, Timings, WorkerId, codes,
};

/// What the end of an attempt costs its task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cost {
    /// The task fails at once.
    Final,
    /// One of `ATTEMPTS_MAX`, with a back-off.
    Strike,
    /// One of `RETURNS_MAX`, without a back-off.
    Return,
}

// === impl State ===

impl State {
    pub(super) fn lease_task(
        &mut self,
        AttemptRef { task: id, attempt }: AttemptRef,
        worker: &WorkerId,
        expires_at: Millis,
        now: Millis,
    ) -> Step {
        let task = self.task(&id).ok_or(Refusal::UnknownTask(id))?;
        if task
            .lease()
            .is_some_and(|lease| lease.attempt == attempt && lease.worker == *worker)
        {
            return Ok(Outcome::Leased);
        }
        let current = task.attempt;
        if !self.may_be_leased(task, now) {
            return Err(Refusal::NotWaiting(id));
        }
        if current.checked_add(1) != Some(attempt) {
            return Err(Refusal::StaleAttempt {
                task: id,
                attempt,
                current,
            });
        }
        let lease = Lease {
            attempt,
            worker: worker.clone(),
            leased_at: now,
            expires_at,
        };
        let (worker, leased_at) = (worker.clone(), now);
        self.update_task(&id, |task| {
            task.attempt = attempt;
            task.state = TaskState::Leased(lease);
            if task.attempts.len() >= ATTEMPT_RECORDS_MAX {
                task.attempts.remove(0);
            }
            task.attempts.push(Attempt {
                attempt,
                worker,
                leased_at,
                ended_at: None,
                problem: None,
            });
        });
        Ok(Outcome::Leased)
    }

    fn may_be_leased(&self, task: &TaskRecord, now: Millis) -> bool {
        let TaskState::Queued { not_before } = task.state else {
            return false;
        };
        let ready = match task.kind {
            TaskKind::Prove { circuit, .. } => self.ready_circuit(&circuit).is_some(),
            TaskKind::InspectPlugin { .. } | TaskKind::PrepareCircuit { .. } => true,
        };
        ready && not_before <= now
    }

    pub(super) fn renew_leases(
        &mut self,
        worker: &WorkerId,
        leases: &[AttemptRef],
        expires_at: Millis,
    ) -> Outcome {
        let mut lost = Vec::new();
        for attempt in leases {
            if self.check_holder(*attempt, worker).is_err() {
                lost.push(*attempt);
                continue;
            }
            self.update_task(&attempt.task, |task| {
                if let TaskState::Leased(lease) = &mut task.state {
                    lease.expires_at = lease.expires_at.max(expires_at);
                }
            });
        }
        Outcome::Renewed { lost }
    }

    /// Lets only the holder of a task's current lease pass.
    fn check_holder(
        &self,
        AttemptRef { task: id, attempt }: AttemptRef,
        worker: &WorkerId,
    ) -> Result<&TaskRecord, Refusal> {
        let task = self.task(&id).ok_or(Refusal::UnknownTask(id))?;
        if task.is_finished() {
            return Err(Refusal::TaskFinished {
                task: id,
                phase: task.phase(),
            });
        }
        if task.attempt != attempt {
            return Err(Refusal::StaleAttempt {
                task: id,
                attempt,
                current: task.attempt,
            });
        }
        match task.lease() {
            None => Err(Refusal::NotLeased(id)),
            Some(lease) if lease.worker != *worker => {
                Err(Refusal::ForeignLease { task: id, attempt })
            }
            Some(_) => Ok(task),
        }
    }

    pub(super) fn complete_task(
        &mut self,
        attempt: AttemptRef,
        worker: &WorkerId,
        completion: &Completion,
        timings: &Timings,
        now: Millis,
    ) -> Step {
        let id = attempt.task;
        if self.check_completion(attempt, worker, completion)? {
            return Ok(Outcome::Completed);
        }
        let Some((kind, queued_ms)) = self.task(&id).map(|task| (task.kind, queued_ms(task)))
        else {
            return Err(Refusal::UnknownTask(id));
        };
        let rejection = self.settle(kind, completion, now);
        self.end_attempt_record(&id, rejection.clone(), now);
        self.update_task(&id, |task| {
            task.timings.clone_from(timings);
            task.timings
                .insert(Stage::Queue, queued_ms.saturating_mul(1000));
        });
        let state =
            rejection.map_or_else(|| TaskState::Done(completion.clone()), TaskState::Failed);
        self.finish_task(&id, state, now);
        Ok(Outcome::Completed)
    }

    /// Says whether a result would be taken: `false` when it would end the task, `true` when it was
    /// taken before and is sent again because its answer got lost.
    ///
    /// # Errors
    /// The refusal that applying it would give.
    pub fn check_completion(
        &self,
        attempt: AttemptRef,
        worker: &WorkerId,
        completion: &Completion,
    ) -> Result<bool, Refusal> {
        let repeated = self.task(&attempt.task).is_some_and(|task| {
            let holder = task.attempts.last().map(|last| &last.worker);
            task.attempt == attempt.attempt
                && holder == Some(worker)
                && task.completion() == Some(completion)
        });
        if repeated {
            return Ok(true);
        }
        let fits = matches!(
            (self.check_holder(attempt, worker)?.kind, completion),
            (
                TaskKind::InspectPlugin { .. },
                Completion::PluginInspected { .. }
            ) | (
                TaskKind::PrepareCircuit { .. },
                Completion::CircuitPrepared(_)
            ) | (TaskKind::Prove { .. }, Completion::Proved { .. })
        );
        if fits {
            Ok(false)
        } else {
            Err(Refusal::CompletionMismatch(attempt.task))
        }
    }

    /// Does what a result means for plugins and circuits. `Some` is a result that is of the right
    /// kind but unusable: the task fails with it.
    fn settle(&mut self, kind: TaskKind, completion: &Completion, now: Millis) -> Option<Problem> {
        match (kind, completion) {
            (
                TaskKind::InspectPlugin { plugin },
                Completion::PluginInspected {
                    name,
                    version,
                    description,
                    default_params,
                    default_circuit,
                },
            ) => {
                let inspection = Inspection {
                    name,
                    version,
                    description: *description,
                    default_params: *default_params,
                    default_circuit: *default_circuit,
                };
                let problem = self.finish_inspection(plugin, &inspection, now).err()?;
                self.reject_plugin(&plugin, &problem);
                Some(problem)
            }
            (TaskKind::PrepareCircuit { circuit }, Completion::CircuitPrepared(facts)) => {
                self.finish_preparation(&circuit, *facts);
                None
            }
            // A proof changes nothing but its task; other pairs were refused before.
            _ => None,
        }
    }

    pub(super) fn fail_attempt(
        &mut self,
        attempt: AttemptRef,
        worker: &WorkerId,
        problem: &Problem,
        retryable: bool,
        now: Millis,
    ) -> Step {
        self.check_holder(attempt, worker)?;
        let cost = match (retryable, problem.code.as_str()) {
            (true, codes::HANDED_BACK) => Cost::Return,
            (true, _) => Cost::Strike,
            (false, _) => Cost::Final,
        };
        Ok(self.end_attempt(&attempt.task, problem, cost, now))
    }

    pub(super) fn expire_lease(
        &mut self,
        AttemptRef { task: id, attempt }: AttemptRef,
        reason: Expiry,
        now: Millis,
    ) -> Step {
        let task = self.task(&id).ok_or(Refusal::UnknownTask(id))?;
        if task.is_finished() {
            return Err(Refusal::TaskFinished {
                task: id,
                phase: task.phase(),
            });
        }
        if task.attempt != attempt {
            return Err(Refusal::StaleAttempt {
                task: id,
                attempt,
                current: task.attempt,
            });
        }
        let lease = task.lease().ok_or(Refusal::NotLeased(id))?;
        if reason == Expiry::Deadline && now < lease.expires_at {
            return Err(Refusal::LeaseAlive {
                task: id,
                expires_at: lease.expires_at,
            });
        }
        let worker = &lease.worker;
        let (cost, problem) = match reason {
            Expiry::Deadline => (
                Cost::Strike,
                Problem::new(
                    codes::LEASE_EXPIRED,
                    format!("worker {worker} was not heard of before the lease ended"),
                ),
            ),
            Expiry::WorkerRestarted => (
                Cost::Strike,
                Problem::new(
                    codes::WORKER_RESTARTED,
                    format!("worker {worker} came back without the attempt"),
                ),
            ),
            Expiry::NodeRestarted => (
                Cost::Return,
                Problem::new(
                    codes::NODE_RESTARTED,
                    format!("the coordinator and worker {worker} were restarted"),
                ),
            ),
        };
        Ok(self.end_attempt(&id, &problem, cost, now))
    }

    /// Ends a leased attempt without a result: queues the task again, or fails it when its budget is
    /// spent.
    fn end_attempt(&mut self, id: &TaskId, problem: &Problem, cost: Cost, now: Millis) -> Outcome {
        self.end_attempt_record(id, Some(problem.clone()), now);
        let Some(task) = self.task(id) else {
            return Outcome::AttemptEnded { requeued: false };
        };
        let kind = task.kind;
        let strikes = task.strikes + u32::from(cost == Cost::Strike);
        let returns = task.returns + u32::from(cost == Cost::Return);
        self.update_task(id, |task| {
            task.strikes = strikes;
            task.returns = returns;
        });
        let verdict = match cost {
            Cost::Final => Some(problem.clone()),
            Cost::Strike | Cost::Return => exhausted(strikes, returns, problem),
        };
        let Some(verdict) = verdict else {
            let not_before = if cost == Cost::Strike {
                now.saturating_add(backoff_ms(strikes))
            } else {
                0
            };
            self.update_task(id, |task| task.state = TaskState::Queued { not_before });
            return Outcome::AttemptEnded { requeued: true };
        };
        self.finish_task(id, TaskState::Failed(verdict.clone()), now);
        match kind {
            TaskKind::InspectPlugin { plugin } => self.reject_plugin(&plugin, &verdict),
            TaskKind::PrepareCircuit { circuit } => self.reject_circuit(&circuit, &verdict, now),
            TaskKind::Prove { .. } => {}
        }
        Outcome::AttemptEnded { requeued: false }
    }

    /// Writes the end of the newest attempt down, if one is running.
    pub(super) fn end_attempt_record(
        &mut self,
        id: &TaskId,
        problem: Option<Problem>,
        now: Millis,
    ) {
        self.update_task(id, |task| {
            if task.phase() == TaskPhase::Running
                && let Some(attempt) = task.attempts.last_mut()
            {
                attempt.ended_at = Some(now);
                attempt.problem = problem;
            }
        });
    }
}

/// Says why no further attempt is made, when the budget is spent.
fn exhausted(strikes: u32, returns: u32, last: &Problem) -> Option<Problem> {
    let detail = if strikes >= ATTEMPTS_MAX {
        format!(
            "{strikes} attempts failed, the last with {}: {}",
            last.code, last.detail
        )
    } else if returns >= RETURNS_MAX {
        format!(
            "{returns} attempts were returned unfinished, the last with {}",
            last.code
        )
    } else {
        return None;
    };
    let problem = Problem::new(codes::ATTEMPTS_EXHAUSTED, detail);
    Some(match &last.path {
        Some(path) => problem.at(path.clone()),
        None => problem,
    })
}

/// Returns the wait after a number of strikes: it doubles with each.
fn backoff_ms(strikes: u32) -> Millis {
    let doublings = strikes.saturating_sub(1).min(16);
    (BACKOFF_FIRST_MS << doublings).min(BACKOFF_MAX_MS)
}

/// Returns how long a leased task waited for its current attempt.
fn queued_ms(task: &TaskRecord) -> Millis {
    task.lease()
        .map_or(0, |lease| lease.leased_at.saturating_sub(task.submitted_at))
}

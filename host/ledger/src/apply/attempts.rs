//! Attempts: leasing, renewing, and ending one with a result. `endings` has the ends without.
//!
//! ```text
//!            lease                 complete
//!  queued ──────────▶ leased ─────────────────────▶ done
//!    ▲                │ ▲  │ fail, final
//!    │        lease   │ │  ├────────────────────────▶ failed
//!    │   (speculative)▼ │  │ fail, retryable             ▲
//!    │             leased  │ expired                     │
//!    │ budget left  twice  │                             │
//!    └─────────────────────┴─────────────────────────────┘ budget spent
//! ```
//! A lease is fenced by the attempt's number and the worker: only its holder ends it, once. A task
//! with two attempts takes the first result of either; the other attempt ends with it.

use super::Step;
use super::plugins::Inspection;
use crate::estimate::thread_ms;
use crate::limits::{ATTEMPT_ESTIMATES_MAX, ATTEMPT_MS_MIN, ATTEMPT_RECORDS_MAX, THREADS_MAX};
use crate::{
    Acceptance, Accepted, Attempt, AttemptRef, Completion, Lease, Millis, Outcome, Problem,
    Refusal, Stage, State, TaskId, TaskKind, TaskRecord, TaskState, Timings, WorkerId,
};

/// A lease as it is asked for.
pub(super) struct Grant<'a> {
    pub(super) attempt: AttemptRef,
    pub(super) worker: &'a WorkerId,
    pub(super) expires_at: Millis,
    pub(super) threads: u32,
    pub(super) memory_bytes: u64,
    pub(super) speculative: bool,
}

/// What a completion brings beside the result.
pub(super) struct Report<'a> {
    pub(super) timings: &'a Timings,
    pub(super) peak_memory_bytes: Option<u64>,
    pub(super) acceptance: &'a Acceptance,
}

// === impl State ===

impl State {
    pub(super) fn lease_task(&mut self, grant: &Grant<'_>, now: Millis) -> Step {
        let AttemptRef { task: id, attempt } = grant.attempt;
        let task = self.task(&id).ok_or(Refusal::UnknownTask(id))?;
        if task
            .lease_of(attempt)
            .is_some_and(|lease| lease.worker == *grant.worker)
        {
            return Ok(Outcome::Leased);
        }
        self.check_trusted(grant.worker)?;
        let current = task.attempt;
        if grant.speculative && task.lease().is_some() {
            let same = task
                .lease()
                .is_some_and(|lease| lease.worker == *grant.worker);
            if same || !task.may_be_doubled() {
                return Err(Refusal::NotSpeculative(id));
            }
        } else if !self.may_be_leased(task, now) {
            return Err(Refusal::NotWaiting(id));
        }
        if current.checked_add(1) != Some(attempt) {
            return Err(Refusal::StaleAttempt {
                task: id,
                attempt,
                current,
            });
        }
        let (tenant, charge) = (task.tenant.clone(), self.charge_of(&task.kind));
        self.charge(tenant, charge, now);
        self.update_task(&id, |task| grant.write(task, charge, now));
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
            let longest = self.longest(&attempt.task);
            self.update_task(&attempt.task, |task| {
                if let Some(lease) = lease_mut(task, attempt.attempt) {
                    let last = lease.leased_at.saturating_add(longest);
                    lease.expires_at = lease.expires_at.max(expires_at.min(last));
                }
            });
        }
        Outcome::Renewed { lost }
    }

    /// Returns how long an attempt at a task may last, however often its lease is renewed.
    fn longest(&self, id: &TaskId) -> Millis {
        let estimate = self.task(id).map_or(0, |task| {
            let threads = task.leases().map(|lease| lease.threads).min();
            let estimate = self.estimate(&task.kind, threads.unwrap_or(1), false);
            estimate.duration_ms
        });
        estimate
            .saturating_mul(ATTEMPT_ESTIMATES_MAX)
            .max(ATTEMPT_MS_MIN)
    }

    /// Lets only the holder of a lease of the task pass.
    pub(super) fn check_holder(
        &self,
        attempt: AttemptRef,
        worker: &WorkerId,
    ) -> Result<(&TaskRecord, &Lease), Refusal> {
        let (task, lease) = self.check_running(attempt)?;
        if lease.worker != *worker {
            let AttemptRef { task, attempt } = attempt;
            return Err(Refusal::ForeignLease { task, attempt });
        }
        Ok((task, lease))
    }

    /// Lets only an attempt that runs pass.
    pub(super) fn check_running(
        &self,
        AttemptRef { task: id, attempt }: AttemptRef,
    ) -> Result<(&TaskRecord, &Lease), Refusal> {
        let task = self.task(&id).ok_or(Refusal::UnknownTask(id))?;
        if task.is_finished() {
            return Err(Refusal::TaskFinished {
                task: id,
                phase: task.phase(),
            });
        }
        match task.lease_of(attempt) {
            Some(lease) => Ok((task, lease)),
            None if task.attempt == attempt => Err(Refusal::NotLeased(id)),
            None => Err(Refusal::StaleAttempt {
                task: id,
                attempt,
                current: task.attempt,
            }),
        }
    }

    pub(super) fn complete_task(
        &mut self,
        attempt: AttemptRef,
        worker: &WorkerId,
        completion: &Completion,
        report: &Report<'_>,
        now: Millis,
    ) -> Step {
        let id = attempt.task;
        if self.check_completion(attempt, worker, completion)? {
            return Ok(Outcome::Completed {
                stop: Vec::new(),
                leaf: None,
            });
        }
        let (task, lease) = self.check_running(attempt)?;
        let (kind, threads, lease) = (task.kind, lease.threads, lease.clone());
        let tenant = task.tenant.clone();
        let queued_ms = lease.leased_at.saturating_sub(task.submitted_at);
        let stop = others(task, attempt.attempt);
        let leaf = self.append_leaf(task.id, completion, report.acceptance, now)?;
        let rejection = self.settle(kind, completion, now);
        self.measure(&kind, threads, report);
        self.settle_charge(&tenant, &lease, thread_ms(report.timings, threads), now);
        self.end_attempt_record(attempt, rejection.clone(), now);
        self.update_task(&id, |task| {
            task.timings.clone_from(report.timings);
            task.timings
                .insert(Stage::Queue, queued_ms.saturating_mul(1000));
            task.accepted = leaf.as_deref().map(|appended| Accepted {
                leaf: appended.index,
                salt: report.acceptance.salt,
            });
        });
        let state =
            rejection.map_or_else(|| TaskState::Done(completion.clone()), TaskState::Failed);
        self.finish_task(&id, state, now);
        Ok(Outcome::Completed { stop, leaf })
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
            let won = |record: &Attempt| {
                record.attempt == attempt.attempt
                    && record.worker == *worker
                    && record.problem.is_none()
            };
            task.completion() == Some(completion) && task.attempts.iter().any(won)
        });
        if repeated {
            return Ok(true);
        }
        let (task, _) = self.check_holder(attempt, worker)?;
        let fits = matches!(
            (task.kind, completion),
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
                self.finish_preparation(&circuit, *facts, now);
                None
            }
            // A proof changes nothing but its task; other pairs were refused before.
            _ => None,
        }
    }

    /// Counts what a result took, for the estimates of those to come.
    fn measure(&mut self, kind: &TaskKind, threads: u32, report: &Report<'_>) {
        let (TaskKind::Prove { circuit, .. } | TaskKind::PrepareCircuit { circuit }) = kind else {
            return;
        };
        let work = self
            .ready_circuit(circuit)
            .map_or(0, |(_, facts)| facts.work);
        let Some(record) = self.circuit_mut(circuit) else {
            return;
        };
        if matches!(kind, TaskKind::PrepareCircuit { .. }) {
            record.measured.count_keygen(report.timings);
            return;
        }
        record
            .measured
            .count(report.timings, threads, report.peak_memory_bytes);
        let prove_us = record.measured.prove_us;
        self.facts_mut().pace.count(work, prove_us);
    }
}

// === impl Grant ===

impl Grant<'_> {
    /// Writes the lease into a task that may have it.
    fn write(&self, task: &mut TaskRecord, charge: u64, now: Millis) {
        let attempt = self.attempt.attempt;
        let lease = Lease {
            attempt,
            worker: self.worker.clone(),
            leased_at: now,
            expires_at: self.expires_at,
            threads: self.threads.clamp(1, THREADS_MAX),
            memory_bytes: self.memory_bytes,
            charge,
        };
        if task.attempts.len() >= ATTEMPT_RECORDS_MAX {
            // At most two run, so there is one that ended.
            if let Some(oldest) = task.attempts.iter().position(|old| old.ended_at.is_some()) {
                task.attempts.remove(oldest);
            }
        }
        // Most tasks have one, and there are many tasks.
        task.attempts.reserve_exact(1);
        task.attempts.push(Attempt {
            attempt,
            worker: self.worker.clone(),
            leased_at: now,
            ended_at: None,
            problem: None,
        });
        task.attempt = attempt;
        if matches!(task.state, TaskState::Leased(_)) {
            task.second = Some(lease);
        } else {
            task.state = TaskState::Leased(lease);
        }
    }
}

fn lease_mut(task: &mut TaskRecord, attempt: u32) -> Option<&mut Lease> {
    let first = match &mut task.state {
        TaskState::Leased(lease) => Some(lease),
        _ => None,
    };
    first
        .into_iter()
        .chain(&mut task.second)
        .find(|lease| lease.attempt == attempt)
}

/// Returns the attempts that run beside one.
pub(super) fn others(task: &TaskRecord, attempt: u32) -> Vec<AttemptRef> {
    let mut running = task.running();
    running.retain(|other| other.attempt != attempt);
    running
}

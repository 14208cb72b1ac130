//! The ends of an attempt without a result, and what they cost its task.

use super::Step;
use super::attempts::others;
use crate::limits::{ATTEMPTS_MAX, BACKOFF_FIRST_MS, BACKOFF_MAX_MS, RETURNS_AT_ONCE, RETURNS_MAX};
use crate::{
    AttemptRef, Expiry, Lease, Millis, Outcome, Problem, Refusal, State, TaskId, TaskKind,
    TaskRecord, TaskState, WorkerId, codes,
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
        if problem.code == codes::PROOF_INVALID {
            self.count_invalid(worker, now);
        }
        Ok(self.end_attempt(attempt, problem, cost, now))
    }

    pub(super) fn expire_lease(
        &mut self,
        attempt: AttemptRef,
        reason: Expiry,
        now: Millis,
    ) -> Step {
        let (_, lease) = self.check_running(attempt)?;
        if reason == Expiry::Deadline && now < lease.expires_at {
            return Err(Refusal::LeaseAlive {
                task: attempt.task,
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
                    format!(
                        "worker {worker} came back without the attempt after the leader had changed or \
                         was restarted"
                    ),
                ),
            ),
        };
        Ok(self.end_attempt(attempt, &problem, cost, now))
    }

    pub(super) fn expire_task(&mut self, id: &TaskId, now: Millis) -> Step {
        let task = self.task(id).ok_or(Refusal::UnknownTask(*id))?;
        if task.is_finished() {
            return Err(Refusal::TaskFinished {
                task: *id,
                phase: task.phase(),
            });
        }
        let Some(deadline) = task.deadline.filter(|deadline| *deadline <= now) else {
            return Err(Refusal::DeadlineAhead(*id));
        };
        let stop = task.running();
        let where_it_was = if stop.is_empty() { "queued" } else { "running" };
        let detail =
            format!("the task was still {where_it_was} when its deadline passed at {deadline} ms");
        let problem = Problem::new(codes::DEADLINE, detail);
        self.finish_task(id, TaskState::Failed(problem), now);
        Ok(Outcome::TaskExpired { stop })
    }

    /// Ends an attempt without a result: the task goes on with its other attempt if it has one, is
    /// queued again, or fails when its budget is spent.
    fn end_attempt(
        &mut self,
        attempt: AttemptRef,
        problem: &Problem,
        cost: Cost,
        now: Millis,
    ) -> Outcome {
        let id = &attempt.task;
        self.settle_attempt(attempt, now);
        self.end_attempt_record(attempt, Some(problem.clone()), now);
        let Some(task) = self.task(id) else {
            return Outcome::AttemptEnded {
                requeued: false,
                stop: Vec::new(),
            };
        };
        let kind = task.kind;
        let stop = others(task, attempt.attempt);
        let strikes = task.strikes + u32::from(cost == Cost::Strike);
        let returns = task.returns + u32::from(cost == Cost::Return);
        let verdict = match cost {
            Cost::Final => Some(problem.clone()),
            Cost::Strike | Cost::Return => exhausted(strikes, returns, problem),
        };
        self.update_task(id, |task| {
            task.strikes = strikes;
            task.returns = returns;
            if verdict.is_none() {
                let failures = match cost {
                    Cost::Strike => strikes,
                    Cost::Return | Cost::Final => returns.saturating_sub(RETURNS_AT_ONCE),
                };
                let wait = backoff_ms(failures).map_or(0, |wait| now.saturating_add(wait));
                release(task, attempt.attempt, wait);
            }
        });
        let Some(verdict) = verdict else {
            return Outcome::AttemptEnded {
                requeued: true,
                stop: Vec::new(),
            };
        };
        self.finish_task(id, TaskState::Failed(verdict.clone()), now);
        match kind {
            TaskKind::InspectPlugin { plugin } => self.reject_plugin(&plugin, &verdict),
            TaskKind::PrepareCircuit { circuit } => self.reject_circuit(&circuit, &verdict, now),
            TaskKind::Prove { .. } => {}
        }
        Outcome::AttemptEnded {
            requeued: false,
            stop,
        }
    }

    /// Corrects what an attempt was charged, when it ends without a result.
    pub(super) fn settle_attempt(&mut self, AttemptRef { task, attempt }: AttemptRef, now: Millis) {
        let ended = self.task(&task).and_then(|task| {
            let lease = task.lease_of(attempt)?;
            Some((task.tenant.clone(), lease.clone()))
        });
        if let Some((tenant, lease)) = ended {
            self.give_back(&tenant, &lease, now);
        }
    }

    /// The same for those attempts of a task that its end cuts off: whose end is not written down yet.
    pub(super) fn settle_cut_off(&mut self, id: &TaskId, now: Millis) {
        let Some(task) = self.task(id) else {
            return;
        };
        let runs = |lease: &&Lease| {
            let mut records = task.attempts.iter();
            records.any(|old| old.attempt == lease.attempt && old.ended_at.is_none())
        };
        let tenant = task.tenant.clone();
        let cut_off: Vec<Lease> = task.leases().filter(runs).cloned().collect();
        for lease in &cut_off {
            self.give_back(&tenant, lease, now);
        }
    }

    /// Writes the end of an attempt down, if it is running.
    pub(super) fn end_attempt_record(
        &mut self,
        AttemptRef { task, attempt }: AttemptRef,
        problem: Option<Problem>,
        now: Millis,
    ) {
        self.update_task(&task, |task| {
            let record = task.attempts.iter_mut().find(|old| old.attempt == attempt);
            if let Some(record) = record
                && record.ended_at.is_none()
            {
                record.ended_at = Some(now);
                record.problem = problem;
            }
        });
    }
}

/// Takes an attempt's lease away; what is left is the other one, or the queue.
fn release(task: &mut TaskRecord, attempt: u32, not_before: Millis) {
    if task
        .second
        .as_ref()
        .is_some_and(|lease| lease.attempt == attempt)
    {
        task.second = None;
    } else if task.lease_of(attempt).is_some() {
        task.state = match task.second.take() {
            Some(other) => TaskState::Leased(other),
            None => TaskState::Queued { not_before },
        };
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

/// Returns the wait after a number of failures, if there were any: it doubles with each.
fn backoff_ms(failures: u32) -> Option<Millis> {
    let doublings = failures.checked_sub(1)?.min(16);
    Some((BACKOFF_FIRST_MS << doublings).min(BACKOFF_MAX_MS))
}

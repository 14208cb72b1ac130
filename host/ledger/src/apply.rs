//! One command, one answer: [`State::apply`].
//!
//! It never panics, never fails half-way and never looks at anything but its arguments. A refusal
//! changes nothing. Applying again what was accepted before answers as before, so that a proposer
//! who did not hear the answer may ask again.

mod attempts;
mod circuits;
mod plugins;
mod tasks;

use crate::{AttemptRef, Command, Outcome, Refusal, State, TaskRecord};

/// What a step of `apply` returns; a refusal becomes [`Outcome::Refused`].
type Step = Result<Outcome, Refusal>;

// === impl State ===

impl State {
    /// Applies a command.
    pub fn apply(&mut self, command: &Command) -> Outcome {
        self.step(command).unwrap_or_else(Outcome::Refused)
    }

    fn step(&mut self, command: &Command) -> Step {
        match command {
            Command::RegisterPlugin {
                component,
                bytes,
                task,
                now,
            } => self.register_plugin(*component, *bytes, *task, *now),
            Command::RegisterCircuit {
                plugin,
                params,
                task,
                now,
            } => self.register_circuit(*plugin, *params, *task, *now),
            Command::SubmitTask {
                task,
                circuit,
                input,
                priority,
                idempotency,
                now,
            } => self.submit_task(*task, *circuit, *input, *priority, *idempotency, *now),
            Command::LeaseTask {
                task,
                attempt,
                worker,
                expires_at,
                now,
            } => {
                let attempt = AttemptRef {
                    task: *task,
                    attempt: *attempt,
                };
                self.lease_task(attempt, worker, *expires_at, *now)
            }
            Command::RenewLeases {
                worker,
                leases,
                expires_at,
                now: _,
            } => Ok(self.renew_leases(worker, leases, *expires_at)),
            Command::CompleteTask {
                task,
                attempt,
                worker,
                completion,
                timings,
                now,
            } => {
                let attempt = AttemptRef {
                    task: *task,
                    attempt: *attempt,
                };
                self.complete_task(attempt, worker, completion, timings, *now)
            }
            Command::FailAttempt {
                task,
                attempt,
                worker,
                problem,
                retryable,
                now,
            } => {
                let attempt = AttemptRef {
                    task: *task,
                    attempt: *attempt,
                };
                self.fail_attempt(attempt, worker, problem, *retryable, *now)
            }
            Command::ExpireLease {
                task,
                attempt,
                reason,
                now,
            } => {
                let attempt = AttemptRef {
                    task: *task,
                    attempt: *attempt,
                };
                self.expire_lease(attempt, *reason, *now)
            }
            Command::CancelTask { task, now } => self.cancel_task(task, *now),
            Command::RetirePlugin { component, now } => self.retire_plugin(component, *now),
            Command::ForgetTasks { tasks } => Ok(self.forget_tasks(tasks)),
            Command::SignPlugin { component, signer } => self.sign_plugin(component, *signer),
        }
    }
}

/// Returns the attempt that a worker has at a task.
fn running(task: &TaskRecord) -> Option<AttemptRef> {
    task.lease().map(|lease| AttemptRef {
        task: task.id,
        attempt: lease.attempt,
    })
}

/// Refuses to let a count pass its limit.
fn within(item: &str, value: u64, max: u64) -> Result<(), Refusal> {
    if value > max {
        return Err(Refusal::Limit {
            item: item.to_owned(),
            value,
            max,
        });
    }
    Ok(())
}

//! One command, one answer: [`State::apply`].
//!
//! It never panics, never fails half-way and never looks at anything but its arguments. A refusal
//! changes nothing. Applying again what was accepted before answers as before, so that a proposer
//! who did not hear the answer may ask again.

#![allow(
    clippy::result_large_err,
    reason = "a refusal is returned once, up to `apply`; a box would cost an allocation for each"
)]

mod attempts;
mod circuits;
mod endings;
mod log;
mod plugins;
mod quotas;
mod shares;
mod sharing;
mod tasks;
mod tenants;
mod trust;
mod verifying_keys;
mod webhooks;

use self::attempts::{Grant, Report};
use self::tasks::Submission;
use self::tenants::TenantChange;
use crate::{AttemptRef, Command, Outcome, Refusal, State};

/// What a step of `apply` returns; a refusal becomes [`Outcome::Refused`].
type Step = Result<Outcome, Refusal>;

// === impl State ===

impl State {
    /// Applies a command.
    pub fn apply(&mut self, command: &Command) -> Outcome {
        match self.step(command) {
            Ok(outcome) => {
                self.advance_time(command.now().unwrap_or_default());
                outcome
            }
            Err(refusal) => Outcome::Refused(refusal),
        }
    }

    fn step(&mut self, command: &Command) -> Step {
        match command {
            Command::RegisterPlugin {
                component,
                bytes,
                task,
                now,
                tenant,
            } => self.register_plugin(*component, *bytes, *task, tenant, *now),
            Command::RegisterCircuit {
                plugin,
                params,
                task,
                now,
                tenant,
            } => self.register_circuit(*plugin, *params, *task, tenant, *now),
            Command::SubmitTask {
                task,
                circuit,
                input,
                priority,
                idempotency,
                now,
                tenant,
                deadline,
                input_bytes,
            } => self.submit_task(
                *task,
                *circuit,
                &Submission {
                    input: *input,
                    priority: *priority,
                    idempotency: *idempotency,
                    tenant,
                    deadline: *deadline,
                    input_bytes: *input_bytes,
                },
                *now,
            ),
            Command::CancelTask { task, now } => self.cancel_task(task, *now),
            Command::RetirePlugin {
                component,
                now,
                tenant,
                actor,
            } => self.retire_plugin(component, tenant.as_ref(), actor, *now),
            Command::PutTenant {
                tenant,
                weight,
                quotas,
                suspended,
                actor,
                now,
            } => {
                let change = TenantChange {
                    id: tenant,
                    weight: *weight,
                    quotas: *quotas,
                    suspended: *suspended,
                };
                self.put_tenant(&change, actor, *now)
            }
            Command::CreateKey { key, actor } => self.create_key(key, actor),
            Command::RevokeKey { key, actor, now } => self.revoke_key(*key, actor, *now),
            Command::SharePlugin {
                component,
                tenant,
                visibility,
                actor,
                now,
            } => self.share_plugin(component, tenant, visibility, actor, *now),
            Command::ForgetTasks { tasks } => Ok(self.forget_tasks(tasks)),
            Command::SignPlugin { component, signer } => self.sign_plugin(component, *signer),
            Command::ExpireTask { task, now } => self.expire_task(task, *now),
            Command::ReserveWorker { task, worker } => self.reserve_worker(task, worker),
            Command::SetWeight { tenant, weight } => self.set_weight(tenant, *weight),
            Command::PublishVerifyingKey {
                name,
                circuit,
                tenant,
                now,
            } => self.publish_verifying_key(name, *circuit, tenant, *now),
            Command::RevokeVerifyingKey { key, reason, now } => {
                self.revoke_verifying_key(key, reason, *now)
            }
            Command::TrustWorker { worker } => Ok(self.trust_worker(worker)),
            Command::LeaseTask {
                task,
                attempt,
                worker,
                expires_at,
                now,
                threads,
                memory_bytes,
                speculative,
            } => {
                let grant = Grant {
                    attempt: attempt_ref(task, attempt),
                    worker,
                    expires_at: *expires_at,
                    threads: *threads,
                    memory_bytes: *memory_bytes,
                    speculative: *speculative,
                };
                self.lease_task(&grant, *now)
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
                peak_memory_bytes,
                acceptance,
            } => {
                let report = Report {
                    timings,
                    peak_memory_bytes: *peak_memory_bytes,
                    acceptance,
                };
                self.complete_task(
                    attempt_ref(task, attempt),
                    worker,
                    completion,
                    &report,
                    *now,
                )
            }
            Command::FailAttempt {
                task,
                attempt,
                worker,
                problem,
                retryable,
                now,
            } => self.fail_attempt(
                attempt_ref(task, attempt),
                worker,
                problem,
                *retryable,
                *now,
            ),
            Command::ExpireLease {
                task,
                attempt,
                reason,
                now,
            } => self.expire_lease(attempt_ref(task, attempt), *reason, *now),
            Command::CreateWebhook { webhook } => self.create_webhook(webhook),
            Command::DeleteWebhook { webhook, tenant } => self.delete_webhook(webhook, tenant),
            Command::SettleDelivery {
                webhook,
                task,
                settlement,
                attempts,
                now,
            } => self.settle_delivery(webhook, task, *settlement, *attempts, *now),
            Command::ReplayDelivery {
                webhook,
                tenant,
                task,
                now,
            } => self.replay_delivery(webhook, tenant, task, *now),
            Command::ArchiveActs { through } => {
                self.facts_mut().trail.archive(*through);
                Ok(Outcome::ActsArchived)
            }
        }
    }
}

const fn attempt_ref(task: &crate::TaskId, attempt: &u32) -> AttemptRef {
    AttemptRef {
        task: *task,
        attempt: *attempt,
    }
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

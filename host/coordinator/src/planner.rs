//! The leader's loop: plan, propose, hand out, sleep until something changes.
//!
//! There is no tick on the hot path: an applied command, a worker that joins and a lease that is given
//! back each wake the loop. It sleeps until the next deadline in the facts, and at most `Config::tick`,
//! for a clock that jumped.
//!
//! # When leadership changes
//! A new leader knows no worker, so it leases to none before they join. The leases it finds are the
//! reign's before, and their workers had no time to come: every one is renewed, by commands like any
//! other, to a whole lease from the election, before the first plan. A worker that died together with
//! the leader is therefore missed up to one lease later than otherwise; one that lives is never
//! robbed. A worker that joins without a lease of the reign before may never have got it: such a
//! lease ends as `Expiry::NodeRestarted` and does not count against the task.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aureole_ledger::limits::RENEWALS_MAX;
use aureole_ledger::{AttemptRef, Command, Outcome, PlanOptions, State, WorkerId, plan};
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::coordinator::Inner;
use crate::limits::TICK_MIN;

/// Runs until it is stopped.
pub(crate) async fn run(inner: Arc<Inner>, stop: CancellationToken) {
    let mut leader = inner.leader.clone();
    let mut reign = None;
    while !stop.is_cancelled() {
        let now = inner.reign();
        if reign != now {
            if reign.take().is_some() {
                inner.hub.abdicate(&inner.redirect().into_status());
            }
            if now.is_some() && inner.accede().await {
                reign = now;
            }
            continue;
        }
        if reign.is_some() && inner.plan_once().await {
            continue;
        }
        // The deadlines are the leader's to look at.
        let pause = match reign {
            Some(_) => inner.pause(),
            None => inner.config.tick,
        };
        let changed = async {
            // Without a sender the member has stopped, and nothing changes any more.
            if leader.next().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = inner.facts.wake.notified() => {}
            () = changed => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

// === impl Inner ===

impl Inner {
    /// The term in which this member leads; `None` while it does not.
    fn reign(&self) -> Option<u64> {
        let leads = self.is_leader();
        leads.then(|| self.group.raft.metrics().borrow().current_term)
    }

    /// Takes over what the reign before left. False when it cannot be done now.
    async fn accede(self: &Arc<Self>) -> bool {
        // What was committed before must be applied before it is looked at.
        if let Err(error) = self.reads.linearizable().await {
            tracing::warn!(%error, "a new leader was not confirmed");
            tokio::time::sleep(TICK_MIN).await;
            return false;
        }
        let leases = self.facts.read(leases);
        let inherited: BTreeSet<AttemptRef> = leases.values().flatten().copied().collect();
        tracing::info!(leases = inherited.len(), "this member leads");
        self.hub.preside(inherited);
        let now = self.clock.now();
        let expires_at = now.saturating_add(self.config.lease_ms());
        let renewals = leases.iter().flat_map(|(worker, leases)| {
            let parts = leases.chunks(RENEWALS_MAX);
            parts.map(|leases| Command::RenewLeases {
                worker: worker.clone(),
                leases: leases.to_vec(),
                expires_at,
                now,
            })
        });
        for renewed in join_all(renewals.map(|command| self.propose(command))).await {
            if let Err(error) = renewed {
                tracing::warn!(%error, "leases of the reign before were not renewed");
                return self.is_leader();
            }
        }
        true
    }

    /// Makes and carries out one plan. False when there was nothing to do, or it could not be done
    /// now.
    async fn plan_once(self: &Arc<Self>) -> bool {
        let now = self.clock.now();
        let options = PlanOptions {
            lease_ms: self.config.lease_ms(),
        };
        let workers = self.hub.views();
        let commands = self
            .facts
            .read(|state| plan(state, now, &options, &workers));
        if commands.is_empty() {
            self.facts.read(|state| {
                let running = |id: &_| state.task(id).is_some_and(|task| task.lease().is_some());
                self.hub.retain_stages(running);
            });
            return false;
        }
        let steps = commands.into_iter().map(|command| self.carry_out(command));
        join_all(steps).await.into_iter().any(|done| done)
    }

    /// Proposes a command of the plan, and hands out what it leased. True when it changed something.
    async fn carry_out(self: &Arc<Self>, command: Command) -> bool {
        let lease = granted(&command);
        match self.propose(command).await {
            Ok(Outcome::Leased) => {
                if let Some((attempt, worker)) = lease {
                    self.deliver(attempt, worker).await;
                }
                true
            }
            Ok(Outcome::Refused(refusal)) => {
                tracing::debug!(code = refusal.code(), %refusal, "a planned command came too late");
                false
            }
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(%error, "a planned command was not committed");
                false
            }
        }
    }

    /// Returns how long to sleep when nothing happens.
    fn pause(&self) -> Duration {
        let now = self.clock.now();
        let deadline = self.facts.read(|state| state.next_deadline(now));
        let until = deadline.map(|at| Duration::from_millis(at.saturating_sub(now)));
        let tick = self.config.tick.max(TICK_MIN);
        until.map_or(tick, |until| until.clamp(TICK_MIN, tick))
    }
}

/// Returns every lease, by worker.
fn leases(state: &State) -> BTreeMap<WorkerId, Vec<AttemptRef>> {
    let mut leases = BTreeMap::<_, Vec<_>>::new();
    for task in state.tasks() {
        for lease in task.leases() {
            let attempt = AttemptRef {
                task: task.id,
                attempt: lease.attempt,
            };
            leases
                .entry(lease.worker.clone())
                .or_default()
                .push(attempt);
        }
    }
    leases
}

fn granted(command: &Command) -> Option<(AttemptRef, WorkerId)> {
    match command {
        Command::LeaseTask {
            task,
            attempt,
            worker,
            ..
        } => Some((
            AttemptRef {
                task: *task,
                attempt: *attempt,
            },
            worker.clone(),
        )),
        _ => None,
    }
}

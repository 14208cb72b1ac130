//! The leader's loop: plan, propose, hand out, sleep until something changes.
//!
//! There is no tick on the hot path: an applied command, a worker that joins and a lease that is given
//! back each wake the loop. It sleeps until the next deadline in the facts, and at most `Config::tick`,
//! for a clock that jumped.

use std::sync::Arc;
use std::time::Duration;

use aureole_ledger::{AttemptRef, Command, Outcome, PlanOptions, WorkerId, plan};
use futures::future::join_all;
use tokio_util::sync::CancellationToken;

use crate::coordinator::Inner;
use crate::limits::TICK_MIN;

/// Runs until it is stopped.
pub(crate) async fn run(inner: Arc<Inner>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let worked = inner.plan_once().await;
        if worked {
            continue;
        }
        let pause = inner.pause();
        tokio::select! {
            () = stop.cancelled() => break,
            () = inner.facts.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

// === impl Inner ===

impl Inner {
    /// Makes and carries out one plan. False when there was nothing to do, or it could not be done
    /// now.
    async fn plan_once(self: &Arc<Self>) -> bool {
        if !self.is_leader() {
            return false;
        }
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

//! From a lease in the ledger to an assignment in a worker's stream.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aureole_api::internal::v1;
use aureole_ledger::{
    AttemptRef, CircuitState, Command, Digest, Problem, State, TaskId, TaskKind, WorkerId, codes,
};

use crate::coordinator::Inner;
use crate::wire;

/// What a lease is for, read from the ledger.
enum Work {
    Inspect(v1::InspectPlugin),
    Prepare(v1::PrepareCircuit),
    Prove(v1::Prove),
}

/// Why a lease cannot be handed out.
struct Undeliverable {
    problem: Problem,
    retryable: bool,
}

// === impl Inner ===

impl Inner {
    /// Sends a lease that was just granted to its worker. A worker that cannot be reached did not
    /// have it: the lease is given back in its name.
    pub(crate) async fn deliver(self: &Arc<Self>, attempt: AttemptRef, worker: WorkerId) {
        let undeliverable = match self.assignment(attempt).await {
            // The lease is gone already.
            Ok(None) => return,
            Ok(Some(assignment)) => {
                if self.hub.send(&worker, assignment) {
                    return;
                }
                let detail = format!("worker {worker} left before it had the lease");
                Undeliverable {
                    problem: Problem::new(codes::HANDED_BACK, detail),
                    retryable: true,
                }
            }
            Err(undeliverable) => undeliverable,
        };
        let Undeliverable { problem, retryable } = undeliverable;
        tracing::warn!(task = %attempt.task, attempt = attempt.attempt, worker = %worker,
            code = problem.code, detail = problem.detail, "a lease could not be handed out");
        let AttemptRef { task, attempt } = attempt;
        let now = self.clock.now();
        let command = Command::FailAttempt {
            task,
            attempt,
            worker,
            problem,
            retryable,
            now,
        };
        // Without an outcome the lease ends by its deadline.
        if let Err(error) = self.propose(command).await {
            tracing::warn!(%task, %error, "a lease could not be given back");
        }
    }

    async fn assignment(
        &self,
        attempt: AttemptRef,
    ) -> Result<Option<v1::Assignment>, Undeliverable> {
        let found = self.facts.read(|state| {
            let lease = state.task(&attempt.task)?.lease_of(attempt.attempt)?;
            Some((work(state, attempt)?, lease.threads))
        });
        let Some((work, threads)) = found else {
            return Ok(None);
        };
        let work = match work {
            Work::Inspect(inspect) => v1::lease::Work::InspectPlugin(inspect),
            Work::Prepare(prepare) => v1::lease::Work::PrepareCircuit(prepare),
            Work::Prove(mut prove) => {
                prove.input_key = self.input_key(attempt.task, &prove.input).await?;
                v1::lease::Work::Prove(prove)
            }
        };
        let journey = self.journeys.of(&attempt.task);
        if let Some(journey) = &journey {
            self.tell_wait(attempt, journey);
        }
        let lease = v1::Lease {
            traceparent: journey.unwrap_or_default(),
            attempt: Some(wire::attempt_id(attempt)),
            lease_ms: self.config.lease_ms(),
            threads,
            work: Some(work),
        };
        let assignment = v1::assignment::Assignment::Lease(lease);
        Ok(Some(v1::Assignment {
            assignment: Some(assignment),
        }))
    }

    /// Tells the task's wait for this attempt as a span: from its submission, or from the end of the
    /// attempt before.
    fn tell_wait(&self, attempt: AttemptRef, journey: &str) {
        let times = self.facts.read(|state| {
            let task = state.task(&attempt.task)?;
            let lease = task.lease_of(attempt.attempt)?;
            let ends = task.attempts.iter().filter_map(|attempt| attempt.ended_at);
            let since = ends.max().unwrap_or(task.submitted_at);
            Some((since.min(lease.leased_at), lease.leased_at))
        });
        if let Some((since, until)) = times {
            let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
            let attributes = [
                ("task", attempt.task.to_string()),
                ("attempt", attempt.attempt.to_string()),
            ];
            aureole_telemetry::past(journey, "queue", (at(since), at(until)), &attributes);
        }
    }

    async fn input_key(&self, task: TaskId, input: &[u8]) -> Result<Vec<u8>, Undeliverable> {
        let Some(input) = Digest::from_slice(input) else {
            return Err(unreadable("the task names no input"));
        };
        match self.keys.key(task, input).await {
            Ok(Some(key)) => Ok(key.to_vec()),
            Ok(None) => Err(Undeliverable {
                problem: Problem::new(
                    "task.input_lost",
                    "the key of the task's sealed input is gone; submit the task again",
                ),
                retryable: false,
            }),
            Err(error) => Err(unreadable(&error.to_string())),
        }
    }
}

/// Reads what a leased task is about; `None` when what it is about is gone.
fn work(state: &State, attempt: AttemptRef) -> Option<Work> {
    let task = state.task(&attempt.task)?;
    task.lease_of(attempt.attempt)?;
    let bytes = |digest: &Digest| digest.as_bytes().to_vec();
    Some(match task.kind {
        TaskKind::InspectPlugin { plugin } => Work::Inspect(v1::InspectPlugin {
            component: bytes(&plugin),
        }),
        TaskKind::PrepareCircuit { circuit } => {
            let record = state.circuit(&circuit)?;
            let (component, params) = (bytes(&record.plugin), bytes(&record.params));
            Work::Prepare(v1::PrepareCircuit { component, params })
        }
        TaskKind::Prove { circuit, input } => {
            let record = state.circuit(&circuit)?;
            let CircuitState::Ready(facts) = &record.state else {
                return None;
            };
            Work::Prove(v1::Prove {
                component: bytes(&record.plugin),
                params: bytes(&record.params),
                circuit: bytes(&facts.circuit_digest),
                input: bytes(&input),
                input_key: Vec::new(),
            })
        }
    })
}

fn unreadable(reason: &str) -> Undeliverable {
    tracing::error!(reason, "the key of an input could not be read");
    let detail = "the key of the task's sealed input could not be read; see the node's log";
    Undeliverable {
        problem: Problem::new("node.input_key", detail),
        retryable: true,
    }
}

//! The service for workers: who they are, what they run, what came of it.
//!
//! The leader alone answers; a refusal says who that is. A Join waits a moment for an election, so that
//! a worker that lost its leader hears of the next one at once.

mod complete;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aureole_api::internal::v1;
use aureole_api::internal::v1::workers_server::Workers;
use aureole_api::leader::Redirect;
use aureole_ledger::limits::RENEWALS_MAX;
use aureole_ledger::{AttemptRef, Command, Expiry, Millis, Outcome, WorkerId};
use aureole_telemetry::TRACEPARENT;
use futures::Stream;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};
use tracing::Instrument as _;

use crate::coordinator::Inner;
use crate::events::Event;
use crate::hub::{Assigned, Turned};
use crate::limits::{JOIN_PATIENCE, WORKERS_MAX};
use crate::proposer::ProposeError;
use crate::wire;

/// The service for workers of one coordinator.
#[derive(Clone)]
pub struct WorkersService {
    inner: Arc<Inner>,
}

impl fmt::Debug for WorkersService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkersService").finish_non_exhaustive()
    }
}

/// A worker's assignments. Dropping it is how the coordinator learns that the worker left.
pub struct Assignments {
    inner: Arc<Inner>,
    worker: WorkerId,
    number: u64,
    stream: mpsc::Receiver<Assigned>,
}

impl fmt::Debug for Assignments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assignments")
            .field("worker", &self.worker)
            .finish_non_exhaustive()
    }
}

impl Stream for Assignments {
    type Item = Assigned;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Assigned>> {
        self.stream.poll_recv(context)
    }
}

impl Drop for Assignments {
    fn drop(&mut self) {
        self.inner.hub.leave(&self.worker, self.number);
        tracing::info!(worker = %self.worker, "a worker's stream ended");
    }
}

// === impl WorkersService ===

impl WorkersService {
    pub(crate) const fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    fn check_leader(&self) -> Result<(), Box<Status>> {
        if self.inner.is_leader() {
            return Ok(());
        }
        Err(Box::new(self.inner.redirect().into_status()))
    }

    /// Waits until this member presides over the workers, or another one leads than the one that the
    /// worker lost; a moment at most.
    async fn wait_to_preside(&self, lost_leader: &str) -> Result<(), Box<Status>> {
        let mut presides = self.inner.hub.presides();
        let mut leader = self.inner.leader.clone();
        let me = self.inner.config.node_id;
        let decided = async {
            loop {
                if *presides.borrow_and_update() && self.inner.is_leader() {
                    return true;
                }
                let other = leader.now();
                if other.is_some_and(|other| other.id != me && other.address != lost_leader) {
                    return false;
                }
                tokio::select! {
                    Ok(()) = presides.changed() => {}
                    Ok(_) = leader.next() => {}
                    // Both ended with this member.
                    else => return false,
                }
            }
        };
        match tokio::time::timeout(JOIN_PATIENCE, decided).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(Box::new(self.inner.redirect().into_status())),
        }
    }

    /// A proposal without an outcome: the worker asks again, or another member.
    fn unavailable(&self, error: &ProposeError) -> Status {
        match error {
            ProposeError::NotLeader { .. } => self.inner.redirect().into_status(),
            error => Status::unavailable(error.to_string()),
        }
    }

    fn turn_away(&self, worker: &WorkerId, turned: Turned) -> Status {
        tracing::warn!(%worker, ?turned, "a worker is turned away");
        match turned {
            Turned::Namesake { heard_ms } => Status::already_exists(format!(
                "another process is joined as worker {worker} and was heard of {heard_ms} ms ago; \
                 give every worker an id of its own"
            )),
            Turned::Full => Status::resource_exhausted(format!(
                "{WORKERS_MAX} workers are joined, which is the limit"
            )),
            Turned::Away => self.inner.redirect().into_status(),
        }
    }

    /// Takes away the leases that a worker holds but no longer runs.
    async fn expire_lost(
        &self,
        worker: &WorkerId,
        running: &[AttemptRef],
    ) -> Result<(), ProposeError> {
        let held: Vec<AttemptRef> = self
            .inner
            .facts
            .read(|state| state.leases_of(worker).collect());
        for lost in held
            .into_iter()
            .filter(|attempt| !running.contains(attempt))
        {
            let inherited = self.inner.hub.take_inherited(&lost);
            let reason = if inherited {
                Expiry::NodeRestarted
            } else {
                Expiry::WorkerRestarted
            };
            let AttemptRef { task, attempt } = lost;
            let now = self.inner.clock.now();
            let outcome = self
                .inner
                .propose(Command::ExpireLease {
                    task,
                    attempt,
                    reason,
                    now,
                })
                .await?;
            tracing::info!(%worker, %task, attempt, ?outcome, "a lease was lost with its worker");
        }
        Ok(())
    }

    /// Says which of the attempts are the worker's, and whether their leases need a renewal.
    fn sort_running(
        &self,
        worker: &WorkerId,
        running: &[AttemptRef],
    ) -> (Vec<AttemptRef>, Vec<AttemptRef>, bool) {
        let now = self.inner.clock.now();
        let half = self.inner.config.lease_ms() / 2;
        self.inner.facts.read(|state| {
            let (mut held, mut lost, mut stale) = (Vec::new(), Vec::new(), false);
            for attempt in running {
                let lease = state
                    .task(&attempt.task)
                    .and_then(|task| task.lease_of(attempt.attempt));
                match lease {
                    Some(lease) if lease.worker == *worker => {
                        stale |= lease.expires_at.saturating_sub(now) < half;
                        held.push(*attempt);
                    }
                    _ => lost.push(*attempt),
                }
            }
            (held, lost, stale)
        })
    }

    async fn renew(
        &self,
        worker: &WorkerId,
        held: &[AttemptRef],
    ) -> Result<Vec<AttemptRef>, ProposeError> {
        let mut all_lost = Vec::new();
        for leases in held.chunks(RENEWALS_MAX) {
            let now: Millis = self.inner.clock.now();
            let command = Command::RenewLeases {
                worker: worker.clone(),
                leases: leases.to_vec(),
                expires_at: now.saturating_add(self.inner.config.lease_ms()),
                now,
            };
            if let Outcome::Renewed { lost } = self.inner.propose(command).await? {
                all_lost.extend(lost);
            }
        }
        Ok(all_lost)
    }
}

#[tonic::async_trait]
impl Workers for WorkersService {
    type JoinStream = Assignments;

    async fn join(
        &self,
        request: Request<v1::JoinRequest>,
    ) -> Result<Response<Assignments>, Status> {
        let request = request.into_inner();
        let running = wire::attempts(&request.running)?;
        let lost_leader = request.lost_leader.clone();
        let joining = wire::joining(request)?;
        let (worker, slots) = (joining.id.clone(), joining.slots);
        let instance = joining.instance.clone();
        self.wait_to_preside(&lost_leader)
            .await
            .map_err(|status| *status)?;
        let now = self.inner.clock.now();
        // Nothing is leased to the worker between looking at its leases and its new stream.
        let admitted = self.inner.hub.admit(&worker, &instance, now);
        admitted.map_err(|turned| self.turn_away(&worker, turned))?;
        self.expire_lost(&worker, &running)
            .await
            .map_err(|error| self.unavailable(&error))?;
        let (number, stream) = self
            .inner
            .hub
            .join(joining, now)
            .map_err(|turned| self.turn_away(&worker, turned))?;
        let (_, lost, _) = self.sort_running(&worker, &running);
        for attempt in lost {
            let cancel = v1::assignment::Assignment::Cancel(wire::attempt_id(attempt));
            self.inner.hub.send(
                &worker,
                v1::Assignment {
                    assignment: Some(cancel),
                },
            );
        }
        tracing::info!(%worker, slots, running = running.len(), "a worker joined");
        self.inner.facts.wake.notify_one();
        let inner = Arc::clone(&self.inner);
        Ok(Response::new(Assignments {
            inner,
            worker,
            number,
            stream,
        }))
    }

    async fn heartbeat(
        &self,
        request: Request<v1::HeartbeatRequest>,
    ) -> Result<Response<v1::HeartbeatReply>, Status> {
        self.check_leader().map_err(|status| *status)?;
        let request = request.into_inner();
        let worker = wire::worker_id(&request.worker_id)?;
        let running = wire::attempts(&request.running)?;
        let instance = wire::instance(request.instance)?;
        let warm = request.warm.as_ref().map(wire::warm).transpose()?;
        let now = self.inner.clock.now();
        if !self.inner.hub.hear(&worker, &instance, warm, now) {
            return Err(Status::failed_precondition(format!(
                "another process has joined as worker {worker}"
            )));
        }
        let (held, mut lost, stale) = self.sort_running(&worker, &running);
        if stale {
            let renewed = self.renew(&worker, &held).await;
            lost.extend(renewed.map_err(|error| self.unavailable(&error))?);
        }
        Ok(Response::new(v1::HeartbeatReply {
            lost: lost.into_iter().map(wire::attempt_id).collect(),
            coordinators: self.inner.redirect().coordinators,
        }))
    }

    async fn progress(
        &self,
        request: Request<v1::ProgressRequest>,
    ) -> Result<Response<v1::ProgressReply>, Status> {
        let request = request.into_inner();
        let worker = wire::worker_id(&request.worker_id)?;
        let attempt = wire::attempt(request.attempt.as_ref())?;
        let stage = wire::stage(request.stage)?;
        let (held, _, _) = self.sort_running(&worker, &[attempt]);
        // A report of an attempt that ended is late, not wrong.
        if !held.is_empty() {
            self.inner.report_stage(attempt, stage);
        }
        Ok(Response::new(v1::ProgressReply {}))
    }

    async fn complete(
        &self,
        request: Request<v1::CompleteRequest>,
    ) -> Result<Response<v1::CompleteReply>, Status> {
        self.check_leader().map_err(|status| *status)?;
        let parent = request.metadata().get(TRACEPARENT);
        let span = complete::span(parent.and_then(|parent| parent.to_str().ok()));
        let request = request.into_inner();
        let reported = complete::Reported {
            worker: wire::worker_id(&request.worker_id)?,
            attempt: wire::attempt(request.attempt.as_ref())?,
            timings: wire::timings(&request.timings)?,
            completion: wire::completion(request.result)?,
            peak_memory_bytes: (request.peak_memory_bytes > 0).then_some(request.peak_memory_bytes),
        };
        let reply = self
            .inner
            .complete(reported)
            .instrument(span)
            .await
            .map_err(|error| self.unavailable(&error))?;
        Ok(Response::new(reply))
    }

    async fn fail(
        &self,
        request: Request<v1::FailRequest>,
    ) -> Result<Response<v1::FailReply>, Status> {
        self.check_leader().map_err(|status| *status)?;
        let request = request.into_inner();
        let worker = wire::worker_id(&request.worker_id)?;
        let AttemptRef { task, attempt } = wire::attempt(request.attempt.as_ref())?;
        let problem = wire::problem(request.problem)?;
        let retryable = request.retryable || wire::is_handed_back(&problem);
        let now = self.inner.clock.now();
        let command = Command::FailAttempt {
            task,
            attempt,
            worker,
            problem,
            retryable,
            now,
        };
        // A refusal says that the attempt has ended already, which is what the worker wants.
        let _ = self
            .inner
            .propose(command)
            .await
            .map_err(|error| self.unavailable(&error))?;
        Ok(Response::new(v1::FailReply {}))
    }

    async fn drain(
        &self,
        request: Request<v1::DrainRequest>,
    ) -> Result<Response<v1::DrainReply>, Status> {
        let worker = wire::worker_id(&request.into_inner().worker_id)?;
        // A worker that is not joined gets no assignments anyway.
        self.inner.hub.drain(&worker);
        Ok(Response::new(v1::DrainReply {}))
    }
}

// === impl Inner ===

impl Inner {
    /// Where a worker should go instead of here.
    pub(crate) fn redirect(&self) -> Redirect {
        let me = self.config.node_id;
        let leader = self.leader.now();
        let metrics = self.group.raft.metrics();
        let metrics = metrics.borrow();
        let members = metrics.membership_config.membership().nodes();
        Redirect {
            leader: leader
                .filter(|leader| leader.id != me)
                .map(|leader| leader.address),
            coordinators: members
                .map(|(_, member)| member.address.clone())
                .filter(|address| !address.is_empty())
                .collect(),
        }
    }

    /// Remembers and announces where an attempt stands.
    pub(crate) fn report_stage(&self, attempt: AttemptRef, stage: aureole_ledger::Stage) {
        self.hub.set_stage(attempt, stage);
        let AttemptRef { task, attempt } = attempt;
        self.facts.publish(Event::Progress {
            task,
            attempt,
            stage,
        });
    }
}

//! What a worker tells the coordinators: stages on the way, and how an attempt ended.
//!
//! Results are offered to whoever leads until they are taken, refused, or too old to matter. Stages
//! are offered once, in order; a lost one loses nothing but a progress line.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aureole_api::internal::v1::workers_client::WorkersClient;
use aureole_api::internal::v1::{self, complete_request};
use aureole_api::leader::Redirect;
use aureole_telemetry::{TRACEPARENT, traceparent};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use tracing::Span;

use super::caller::Caller;
use super::route::Route;
use super::running::{AttemptKey, Ended, Guard};
use super::waits::Waits;
use crate::limits::{CALL_TIMEOUT, COMPLETE_TIMEOUT, REPORT_TIMEOUT};
use crate::message::Stage;
use crate::problem::Problem;

/// Stages that wait to be told. An attempt has six, and they are told within a millisecond.
const STAGES_MAX: usize = 256;

/// A finished attempt.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) result: complete_request::Result,
    pub(super) timings: Vec<(Stage, Duration)>,
    /// The most memory that its prover had resident; 0 is unknown.
    pub(super) peak_bytes: u64,
    /// Threads that it used.
    pub(super) threads: u32,
}

/// Speaks to the coordinators for all attempts.
#[derive(Debug)]
pub(super) struct Reporter {
    worker_id: String,
    route: Arc<Route>,
    caller: Arc<Caller>,
    stages: mpsc::Sender<v1::ProgressRequest>,
}

// === impl Reporter ===

impl Reporter {
    /// A reporter, and the future that tells stages until the reporter is dropped.
    pub(super) fn new(
        worker_id: String,
        route: Arc<Route>,
        caller: Arc<Caller>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (stages, queue) = mpsc::channel(STAGES_MAX);
        let telling = tell_stages(Arc::clone(&route), Arc::clone(&caller), queue);
        (
            Self {
                worker_id,
                route,
                caller,
                stages,
            },
            telling,
        )
    }

    /// Tells that an attempt has reached a stage.
    pub(super) fn stage(&self, key: &AttemptKey, stage: Stage) {
        let request = v1::ProgressRequest {
            worker_id: self.worker_id.clone(),
            attempt: Some(key.to_proto()),
            stage: stage.to_proto().into(),
        };
        if self.stages.try_send(request).is_err() {
            tracing::debug!(task = %key.task, stage = stage.name(), "a stage was not told");
        }
    }

    /// Brings a result.
    pub(super) async fn complete(&self, guard: &Guard, done: Done) {
        let key = guard.key();
        let parent = traceparent(&Span::current());
        let request = v1::CompleteRequest {
            worker_id: self.worker_id.clone(),
            attempt: Some(key.to_proto()),
            timings: done
                .timings
                .iter()
                .map(|(stage, time)| v1::StageTiming {
                    stage: stage.to_proto().into(),
                    micros: u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
                })
                .collect(),
            result: Some(done.result),
            peak_memory_bytes: done.peak_bytes,
            threads: done.threads,
        };
        let answer = self
            .offer(Some(guard), COMPLETE_TIMEOUT, |mut client| {
                let request = traced(request.clone(), parent.as_deref());
                async move { client.complete(request).await }
            })
            .await;
        match answer.map(|reply| reply.refused) {
            Some(None) => tracing::info!(task = %key.task, attempt = key.attempt, "attempt done"),
            Some(Some(refused)) => tracing::warn!(
                task = %key.task, attempt = key.attempt, code = refused.code,
                detail = refused.detail, "the coordinators refused a completion"
            ),
            None => tracing::warn!(task = %key.task, attempt = key.attempt, "result not delivered"),
        }
    }

    /// Says that an attempt has failed.
    pub(super) async fn fail(&self, guard: &Guard, problem: Problem, retryable: bool) {
        self.fail_request(Some(guard), &guard.key(), problem, retryable)
            .await;
    }

    /// Returns a lease unused.
    pub(super) async fn hand_back(&self, key: &AttemptKey) {
        let problem = Problem::new(
            "task.handed_back",
            "the worker is stopping or has no free slot",
        );
        self.fail_request(None, key, problem, true).await;
    }

    async fn fail_request(
        &self,
        guard: Option<&Guard>,
        key: &AttemptKey,
        problem: Problem,
        retryable: bool,
    ) {
        let problem = v1::Problem {
            code: problem.code,
            detail: problem.detail,
            path: problem.path,
            report: problem.report.map(|digest| digest.as_bytes().to_vec()),
        };
        let request = v1::FailRequest {
            worker_id: self.worker_id.clone(),
            attempt: Some(key.to_proto()),
            problem: Some(problem),
            retryable,
        };
        let answer = self
            .offer(guard, CALL_TIMEOUT, |mut client| {
                let request = request.clone();
                async move { client.fail(request).await }
            })
            .await;
        if answer.is_none() {
            tracing::warn!(task = %key.task, attempt = key.attempt, "failure not delivered");
        }
    }

    /// Makes a call to whoever leads until it is answered. Gives up when the answer can no longer
    /// matter: the lease is lost, the coordinators say so, or too much time has passed.
    async fn offer<T, F>(
        &self,
        guard: Option<&Guard>,
        limit: Duration,
        call: impl Fn(WorkersClient<Channel>) -> F,
    ) -> Option<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let deadline = Instant::now() + REPORT_TIMEOUT;
        let mut waits = Waits::new();
        loop {
            // A call under way is never given up for a lost lease: it may have been accepted,
            // which is exactly why the lease is gone. Between calls it is.
            let leader = tokio::select! {
                leader = timeout_at(deadline, self.route.wait()) => leader.ok()?,
                () = ended(guard) => return None,
            };
            let client = self.caller.client(&leader.address).ok()?;
            // Asked again elsewhere, the answer is the same: a completion is accepted once.
            let answer = tokio::select! {
                answer = timeout(limit, call(client)) => answer,
                () = self.route.left(&leader) => continue,
            };
            match answer {
                Ok(Ok(answer)) => return Some(answer.into_inner()),
                Ok(Err(status)) => {
                    if let Some(redirect) = Redirect::of(&status) {
                        self.route.doubt(&leader, Some(&redirect));
                    } else if is_final(status.code()) {
                        tracing::warn!(%status, "the coordinators do not take a report");
                        return None;
                    }
                    tracing::debug!(%status, "a report failed, trying again");
                }
                Err(_) => tracing::debug!("a report was not answered, trying again"),
            }
            if Instant::now() >= deadline {
                return None;
            }
            tokio::select! {
                () = ended(guard) => return None,
                () = sleep(waits.next()) => {}
            }
        }
    }
}

/// Whether repeating the call cannot help.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated
    )
}

/// Waits until the attempt is no longer ours. A hand-back is no reason: the result is ready.
async fn ended(guard: Option<&Guard>) {
    match guard {
        Some(guard) if guard.ended().await != Ended::HandedBack => {}
        _ => std::future::pending().await,
    }
}

/// A request that names the trace it belongs to, if to any.
fn traced<T>(message: T, parent: Option<&str>) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    if let Some(parent) = parent.and_then(|parent| parent.parse().ok()) {
        request.metadata_mut().insert(TRACEPARENT, parent);
    }
    request
}

async fn tell_stages(
    route: Arc<Route>,
    caller: Arc<Caller>,
    mut queue: mpsc::Receiver<v1::ProgressRequest>,
) {
    while let Some(request) = queue.recv().await {
        // Nobody leads: nobody would show it either.
        let Some(leader) = route.leader() else {
            continue;
        };
        let Ok(mut client) = caller.client(&leader.address) else {
            continue;
        };
        let told = tokio::select! {
            told = timeout(CALL_TIMEOUT, client.progress(request)) => told,
            () = route.left(&leader) => continue,
        };
        match told {
            Ok(Ok(_)) => {}
            Ok(Err(status)) => tracing::debug!(%status, "a stage was not told"),
            Err(_) => tracing::debug!("telling a stage was not answered"),
        }
    }
}

// === impl Stage ===

impl Stage {
    fn to_proto(self) -> v1::Stage {
        match self {
            Self::Compile => v1::Stage::Compile,
            Self::Inspect => v1::Stage::Inspect,
            Self::Keygen => v1::Stage::Keygen,
            Self::Witness => v1::Stage::Witness,
            Self::Check => v1::Stage::Check,
            Self::Prove => v1::Stage::Prove,
        }
    }
}

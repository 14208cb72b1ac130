//! The worker: takes leases, does the work, brings results.
//!
//! ```text
//! coordinators ── Join stream ──▸ join loop ──▸ one task an attempt ──▸ Complete or Fail
//!       ▴                                            │ stages
//!       ├──────── Progress ◂─────────────────────────┘
//!       └──────── Heartbeat ◂── a thread of its own, with a runtime of its own
//! ```
//!
//! A worker is stateless: whatever it was doing when it died is done again under the next lease.
//! A lost connection is rejoined with the attempts that still run; a lost lease, or a cancel,
//! kills the children that worked for it. Draining takes no more leases, lets what runs finish
//! within a bound, and hands the rest back.

mod attempt;
mod heartbeat;
mod report;
mod running;

use std::sync::Arc;
use std::time::Duration;

use aureole_api::internal::v1::workers_client::WorkersClient;
use aureole_api::internal::v1::{self, assignment, lease};
use aureole_store::Depot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::transport::Channel;

use crate::error::Error;
use crate::limits::{CALL_TIMEOUT, EXIT_TIMEOUT, RECONNECT};
use crate::provers::Provers;
use crate::sandboxes::Sandboxes;
use heartbeat::Heartbeat;
use report::Reporter;
use running::{AttemptKey, Ended, Running};

/// How a worker presents itself, and how it stops.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Its name, unique in the cluster.
    pub id: String,
    /// Attempts at the same time. No more than the pools' sizes, or attempts wait for each other.
    pub slots: u32,
    /// Cores it may use, for the scheduler's information.
    pub cores: u32,
    /// Memory it may use, for the scheduler's information.
    pub memory_bytes: u64,
    /// How long draining waits for running attempts before it hands them back.
    pub drain: Duration,
}

/// A running worker. Dropping it stops it at once, without handing anything back.
#[derive(Debug)]
pub struct Worker {
    context: Arc<Context>,
    attempts: TaskTracker,
    stop: CancellationToken,
    joined: JoinHandle<()>,
    reporting: JoinHandle<()>,
    heartbeat: Heartbeat,
}

/// How an [`Endpoint`](tonic::transport::Endpoint) is reached. Called once for the worker and
/// once, within its own runtime, for the heartbeats.
pub trait Connect: Fn() -> Channel + Send + Sync + 'static {}

impl<F: Fn() -> Channel + Send + Sync + 'static> Connect for F {}

/// What every part of the worker knows.
#[derive(Debug)]
struct Context {
    config: WorkerConfig,
    depot: Depot,
    sandboxes: Sandboxes,
    provers: Provers,
    running: Arc<Running>,
    reporter: Reporter,
    client: WorkersClient<Channel>,
}

// === impl Worker ===

impl Worker {
    /// Starts the children, the heartbeats and the prove loop. Returns once the first children
    /// are set up; joining the coordinators goes on until it succeeds.
    ///
    /// # Errors
    /// [`Error::Spawn`], [`Error::Crashed`] and the like if a child does not start;
    /// [`Error::Thread`] if the heartbeats' thread does not.
    pub async fn start(
        config: WorkerConfig,
        connect: impl Connect,
        depot: Depot,
        sandboxes: Sandboxes,
        provers: Provers,
    ) -> Result<Self, Error> {
        let (sandboxes_ready, provers_ready) = tokio::join!(sandboxes.fill(), provers.fill());
        sandboxes_ready?;
        provers_ready?;
        let stop = CancellationToken::new();
        let client = WorkersClient::new(connect());
        let running = Arc::new(Running::new());
        let (reporter, progress) = Reporter::new(config.id.clone(), client.clone());
        let reporting = tokio::spawn(progress);
        let heartbeat = Heartbeat::start(
            config.id.clone(),
            connect,
            Arc::clone(&running),
            stop.clone(),
        )?;
        let context = Arc::new(Context {
            config,
            depot,
            sandboxes,
            provers,
            running,
            reporter,
            client,
        });
        let attempts = TaskTracker::new();
        let joined = tokio::spawn(join_loop(
            Arc::clone(&context),
            attempts.clone(),
            stop.clone(),
        ));
        Ok(Self {
            context,
            attempts,
            stop,
            joined,
            reporting,
            heartbeat,
        })
    }

    /// Stops in order: no more leases, running attempts finish within the configured bound, what
    /// is left is handed back, then everything ends.
    pub async fn drain(mut self) {
        let context = Arc::clone(&self.context);
        context.running.refuse_new();
        let request = v1::DrainRequest {
            worker_id: context.config.id.clone(),
        };
        let mut client = context.client.clone();
        match timeout(CALL_TIMEOUT, client.drain(request)).await {
            Ok(Ok(_)) => {}
            Ok(Err(status)) => {
                tracing::warn!(%status, "the coordinators were not told of draining")
            }
            Err(_) => tracing::warn!("the coordinators did not answer to draining"),
        }
        self.attempts.close();
        if timeout(context.config.drain, self.attempts.wait())
            .await
            .is_err()
        {
            tracing::info!(
                attempts = context.running.keys().len(),
                "handing back attempts that did not finish while draining"
            );
            context.running.end_all(Ended::HandedBack);
            // Bounded by the reports' own timeouts, but a stop must not wait for all of them.
            if timeout(CALL_TIMEOUT, self.attempts.wait()).await.is_err() {
                tracing::warn!("some attempts could not be handed back; their leases will expire");
            }
        }
        self.stop.cancel();
        let _ = timeout(EXIT_TIMEOUT, &mut self.joined).await;
        self.heartbeat.join();
    }

    /// How many attempts run now.
    #[must_use]
    pub fn running(&self) -> usize {
        self.context.running.keys().len()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.cancel();
        self.joined.abort();
        self.reporting.abort();
        // Attempts hold the context; ending them kills their children.
        self.context.running.end_all(Ended::Dropped);
    }
}

/// Joins, takes assignments until the stream ends, and joins again.
async fn join_loop(context: Arc<Context>, attempts: TaskTracker, stop: CancellationToken) {
    let mut wait = RECONNECT.0;
    loop {
        let end = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            end = take_assignments(&context, &attempts, &mut wait) => end,
        };
        match end {
            Ok(()) => tracing::info!("the coordinators ended the stream, joining again"),
            Err(status) => tracing::warn!(%status, "not joined to the coordinators, trying again"),
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep(wait) => {}
        }
        wait = (wait * 2).min(RECONNECT.1);
    }
}

async fn take_assignments(
    context: &Arc<Context>,
    attempts: &TaskTracker,
    wait: &mut Duration,
) -> Result<(), Status> {
    let config = &context.config;
    let mut client = context.client.clone();
    let mut stream = client
        .join(v1::JoinRequest {
            worker_id: config.id.clone(),
            cores: config.cores,
            memory_bytes: config.memory_bytes,
            slots: config.slots,
            running: context
                .running
                .keys()
                .into_iter()
                .map(AttemptKey::to_proto)
                .collect(),
        })
        .await?
        .into_inner();
    tracing::info!(
        worker = config.id,
        slots = config.slots,
        "joined the coordinators"
    );
    *wait = RECONNECT.0;
    while let Some(assignment) = stream.message().await? {
        match assignment.assignment {
            Some(assignment::Assignment::Lease(lease)) => accept(context, attempts, lease),
            Some(assignment::Assignment::Cancel(attempt)) => match AttemptKey::parse(&attempt) {
                Some(key) => context.running.end(&key, Ended::Cancelled),
                None => tracing::warn!("a cancel names no attempt"),
            },
            None => tracing::warn!("an assignment of a kind that this version does not know"),
        }
    }
    Ok(())
}

/// Starts an attempt, or hands it back at once.
fn accept(context: &Arc<Context>, attempts: &TaskTracker, lease: v1::Lease) {
    let Some(key) = lease.attempt.as_ref().and_then(AttemptKey::parse) else {
        tracing::warn!("a lease names no attempt");
        return;
    };
    let Some(work) = lease.work else {
        tracing::warn!(task = %key.task, "a lease names no work that this version knows");
        return;
    };
    let length = Duration::from_millis(lease.lease_ms);
    let context = Arc::clone(context);
    match context.running.begin(key, length, context.config.slots) {
        Some(guard) => {
            attempts.spawn(async move { run_attempt(&context, &guard, work).await });
        }
        // It runs already: the coordinators repeated themselves after a lost stream.
        None if context.running.contains(&key) => {}
        None => {
            attempts.spawn(async move { context.reporter.hand_back(&key).await });
        }
    }
}

/// Does the work of one attempt and reports how it ended.
async fn run_attempt(context: &Context, guard: &running::Guard, work: lease::Work) {
    let key = guard.key();
    tracing::info!(task = %key.task, attempt = key.attempt, work = name(&work), "attempt begins");
    let result = tokio::select! {
        biased;
        ended = guard.ended() => {
            tracing::info!(task = %key.task, attempt = key.attempt, ?ended, "attempt stopped");
            if ended == Ended::HandedBack {
                context.reporter.hand_back(&key).await;
            }
            return;
        }
        result = attempt::run(context, &key, work) => result,
    };
    match result {
        Ok(done) => context.reporter.complete(guard, done).await,
        Err(error) => {
            let (problem, retryable) = error.to_problem();
            if retryable {
                tracing::warn!(
                    task = %key.task, attempt = key.attempt, code = problem.code,
                    error = &error as &dyn std::error::Error, "attempt failed"
                );
            } else {
                tracing::info!(
                    task = %key.task, attempt = key.attempt, code = problem.code, "attempt refused"
                );
            }
            context.reporter.fail(guard, problem, retryable).await;
        }
    }
}

fn name(work: &lease::Work) -> &'static str {
    match work {
        lease::Work::InspectPlugin(_) => "inspect_plugin",
        lease::Work::PrepareCircuit(_) => "prepare_circuit",
        lease::Work::Prove(_) => "prove",
    }
}

//! The worker: takes leases, does the work, brings results.
//!
//! ```text
//! leader ── Join stream ──▸ join loop ──▸ one task an attempt ──▸ Complete or Fail
//!    ▴                          │               │ stages
//!    │    follows, or doubts ── route           │
//!    ├──────── Progress ◂───────┼───────────────┘
//!    └──────── Heartbeat ◂── a thread of its own, with a runtime of its own
//! ```
//!
//! A worker is stateless: whatever it was doing when it died is done again under the next lease.
//! When the leader changes, what runs goes on under its lease, and the new leader is joined with
//! the attempts that still run; a lost lease, or a cancel, kills the children that worked for it.
//! Draining takes no more leases, lets what runs finish within a bound, and hands the rest back.

mod attempt;
mod caller;
mod heartbeat;
mod join;
mod report;
mod route;
mod running;
mod waits;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use aureole_api::internal::v1::{self, lease};
use aureole_store::SharedBlobs;
use aureole_telemetry::{Ended as Counted, WorkerMeters};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connect::Connect;
use crate::error::Error;
use crate::limits::{CALL_TIMEOUT, EXIT_TIMEOUT, HAND_BACK_TIMEOUT};
use crate::provers::Provers;
use crate::sandboxes::Sandboxes;
use caller::Caller;
use heartbeat::{Beats, Heartbeat};
use report::Reporter;
use route::Route;
use running::{Ended, Running};

/// How a worker presents itself, and how it stops.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Its name, unique in the cluster: of two processes with one name the second is not let in
    /// while the first one lives.
    pub id: String,
    /// Addresses of coordinators, `host:port`. One that answers is enough: it names the others.
    pub coordinators: Vec<String>,
    /// Attempts at the same time. No more than the pools' sizes, or attempts wait for each other.
    pub slots: u32,
    /// Cores it may use, for the scheduler: it divides them into threads per attempt.
    pub cores: u32,
    /// Memory it may use, for the scheduler: it places attempts by what they are estimated to take.
    pub memory_bytes: u64,
    /// Where attempts are counted. Silent unless given.
    pub meters: WorkerMeters,
    /// How long draining waits for running attempts before it hands them back. A stop takes up to
    /// seven seconds more.
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

/// What every part of the worker knows.
#[derive(Debug)]
struct Context {
    config: WorkerConfig,
    /// Drawn for this process: see `JoinRequest.instance`.
    instance: [u8; 16],
    depot: SharedBlobs,
    sandboxes: Sandboxes,
    provers: Provers,
    running: Arc<Running>,
    reporter: Reporter,
    route: Arc<Route>,
    caller: Arc<Caller>,
}

/// What a worker does at a moment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Lookout {
    running: Arc<Running>,
    route: Arc<Route>,
    slots: u32,
}

// === impl Lookout ===

impl Lookout {
    /// How many attempts run now.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.keys().len()
    }

    /// How many may run at a time.
    #[must_use]
    pub const fn slots(&self) -> u32 {
        self.slots
    }

    /// Whether a coordinator has let it in and was not doubted since.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        self.route.leader().is_some()
    }
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
        depot: SharedBlobs,
        sandboxes: Sandboxes,
        provers: Provers,
    ) -> Result<Self, Error> {
        let (sandboxes_ready, provers_ready) = tokio::join!(sandboxes.fill(), provers.fill());
        sandboxes_ready?;
        provers_ready?;
        let connect: Arc<dyn Connect> = Arc::new(connect);
        let stop = CancellationToken::new();
        let instance = draw_instance();
        let route = Arc::new(Route::new(config.coordinators.clone()));
        let caller = Arc::new(Caller::new(Arc::clone(&connect)));
        let running = Arc::new(Running::new());
        let (reporter, progress) =
            Reporter::new(config.id.clone(), Arc::clone(&route), Arc::clone(&caller));
        let reporting = tokio::spawn(progress);
        let beats = Beats {
            worker_id: config.id.clone(),
            instance,
            connect,
            route: Arc::clone(&route),
            running: Arc::clone(&running),
            provers: provers.clone(),
        };
        let heartbeat = Heartbeat::start(beats, stop.clone())?;
        let context = Arc::new(Context {
            config,
            instance,
            depot,
            sandboxes,
            provers,
            running,
            reporter,
            route,
            caller,
        });
        let attempts = TaskTracker::new();
        let joined = tokio::spawn(join::join_loop(
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

    /// Tells somebody, now and after each change, which coordinators to ask first: the leader, then
    /// the others. For [`RemoteBlobs::prefer`](crate::RemoteBlobs::prefer).
    pub fn tell_coordinators(&self, tell: impl Fn(Vec<String>) + Send + 'static) {
        let route = Arc::clone(&self.context.route);
        tokio::spawn(tell_homes(route, self.stop.clone(), tell));
    }

    /// Stops in order: no more leases, running attempts finish within the configured bound, what
    /// is left is handed back, then everything ends.
    pub async fn drain(mut self) {
        let context = Arc::clone(&self.context);
        context.running.refuse_new();
        self.attempts.close();
        // Told beside the waiting: a group without a leader must not make the stop longer.
        let (finished, ()) = tokio::join!(
            timeout(context.config.drain, self.attempts.wait()),
            tell_draining(&context),
        );
        if finished.is_err() {
            tracing::info!(
                attempts = context.running.keys().len(),
                "handing back attempts that did not finish while draining"
            );
            context.running.end_all(Ended::HandedBack);
            let handed_back = timeout(HAND_BACK_TIMEOUT, self.attempts.wait()).await;
            if handed_back.is_err() {
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

    /// A look at the worker for as long as somebody wants one; it keeps nothing running.
    #[must_use]
    pub fn lookout(&self) -> Lookout {
        Lookout {
            running: Arc::clone(&self.context.running),
            route: Arc::clone(&self.context.route),
            slots: self.context.config.slots,
        }
    }

    /// The address of the coordinator that this worker follows; `None` while it looks for one.
    #[must_use]
    pub fn leader(&self) -> Option<String> {
        let leader = self.context.route.leader();
        leader.map(|leader| leader.address.to_string())
    }
}

/// Tells of each leader, and the other coordinators after it, until the worker stops.
async fn tell_homes(
    route: Arc<Route>,
    stop: CancellationToken,
    tell: impl Fn(Vec<String>) + Send + 'static,
) {
    let mut leader = route.watch();
    loop {
        let followed = leader.borrow_and_update().clone();
        if let Some(followed) = followed {
            let first = followed.address.to_string();
            let others = route.candidates().into_iter();
            let others = others.filter(|address| *address != first);
            tell(std::iter::once(first.clone()).chain(others).collect());
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = leader.changed() => if changed.is_err() { return },
        }
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

/// Tells the leader that this worker takes no more leases. A leader elected meanwhile learns it from
/// the Join; without either, leases that still come are handed back.
async fn tell_draining(context: &Context) {
    let Some(leader) = context.route.leader() else {
        return;
    };
    let Ok(mut client) = context.caller.client(&leader.address) else {
        return;
    };
    let request = v1::DrainRequest {
        worker_id: context.config.id.clone(),
    };
    let limit = CALL_TIMEOUT.min(context.config.drain);
    match timeout(limit, client.drain(request)).await {
        Ok(Ok(_)) => {}
        Ok(Err(status)) => tracing::warn!(%status, "the coordinators were not told of draining"),
        Err(_) => tracing::warn!("the coordinators did not answer to draining"),
    }
}

/// Sixteen bytes that no other process has: the standard library seeds its hashers from the system's
/// randomness.
fn draw_instance() -> [u8; 16] {
    let draw = || RandomState::new().build_hasher().finish().to_le_bytes();
    let mut instance = [0; 16];
    for (place, byte) in instance.iter_mut().zip(draw().into_iter().chain(draw())) {
        *place = byte;
    }
    instance
}

/// Does the work of one attempt and reports how it ended.
async fn run_attempt(context: &Context, guard: &running::Guard, work: lease::Work, threads: u32) {
    let key = guard.key();
    let meters = &context.config.meters;
    let work_name = name(&work);
    let threads = context.provers.threads(threads);
    tracing::info!(task = %key.task, attempt = key.attempt, work = work_name, threads,
        "attempt begins");
    let result = tokio::select! {
        biased;
        ended = guard.ended() => {
            meters.attempt(work_name, Counted::Stopped);
            tracing::info!(task = %key.task, attempt = key.attempt, ?ended, "attempt stopped");
            if ended == Ended::HandedBack {
                context.reporter.hand_back(&key).await;
            }
            return;
        }
        result = attempt::run(context, &key, work, threads) => result,
    };
    match result {
        Ok(done) => {
            meters.attempt(work_name, Counted::Done);
            for (stage, took) in &done.timings {
                meters.stage(stage.name(), *took);
            }
            context.reporter.complete(guard, done).await;
        }
        Err(error) => {
            let (problem, retryable) = error.to_problem();
            meters.attempt(work_name, counted(retryable));
            if is_refusal(&problem.code, retryable) {
                meters.refused(&problem.code);
            }
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

const fn counted(retryable: bool) -> Counted {
    if retryable {
        Counted::Failed
    } else {
        Counted::Refused
    }
}

/// Whether the plugin or its input is to blame, or was stopped by a bound of the sandbox. A plugin
/// that ran out of time or died may do better elsewhere, and was refused here all the same.
fn is_refusal(code: &str, retryable: bool) -> bool {
    !retryable || code.starts_with("plugin.") || code == "task.sandbox_crashed"
}

fn name(work: &lease::Work) -> &'static str {
    match work {
        lease::Work::InspectPlugin(_) => "inspect_plugin",
        lease::Work::PrepareCircuit(_) => "prepare_circuit",
        lease::Work::Prove(_) => "prove",
    }
}

#[cfg(test)]
mod tests {
    //! Whom to ask first is told at once, and again whenever it changes.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{Route, tell_homes};
    use std::sync::Arc;
    use tokio::sync::mpsc;
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn the_leader_is_told_first_and_the_other_coordinators_after_it() {
        let route = Arc::new(Route::new(vec!["a:1".to_owned(), "b:1".to_owned()]));
        let stop = CancellationToken::new();
        let (told, mut heard) = mpsc::unbounded_channel();
        let tell = move |addresses| told.send(addresses).unwrap();
        let telling = tokio::spawn(tell_homes(Arc::clone(&route), stop.clone(), tell));
        for (leader, other) in [("b:1", "a:1"), ("a:1", "b:1")] {
            route.follow(leader);
            assert_eq!(heard.recv().await.unwrap(), [leader, other]);
        }
        stop.cancel();
        telling.await.unwrap();
    }
}

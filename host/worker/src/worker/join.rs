//! Finding the leader and staying with it: Join streams and what comes down them.
//!
//! Each candidate is asked once in a round, whom a refusal names first of all; rounds are apart by
//! growing waits. The end of a stream that had lasted begins a round at once: the others know soon,
//! and whom the group is about to elect.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aureole_api::internal::v1::{self, assignment};
use aureole_api::leader::Redirect;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Code, Status, Streaming};
use tracing::Instrument as _;

use super::running::{AttemptKey, Ended, Guard};
use super::waits::Waits;
use super::{Context, name, run_attempt};
use crate::limits::{JOIN_TIMEOUT, STEADY, WARM_ANNOUNCED_MAX};
use crate::provers::Provers;
use crate::spans;

/// What this build proves with, by name.
const BACKENDS: [&str; 1] = ["halo2-ipa"];

/// Joins, takes assignments until the stream ends, and joins again.
pub(super) async fn join_loop(
    context: Arc<Context>,
    attempts: TaskTracker,
    stop: CancellationToken,
) {
    let mut waits = Waits::new();
    let mut rounds = 0_u32;
    loop {
        let last = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            last = round(&context, &attempts, &mut waits, &mut rounds) => last,
        };
        rounds = rounds.saturating_add(1);
        // The first failure and then every power of two: an outage must not fill the log.
        if rounds.is_power_of_two() {
            tracing::warn!(
                rounds,
                reason = last.message(),
                "no coordinator takes this worker"
            );
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep(waits.next()) => {}
        }
    }
}

/// Asks every candidate once, and again from the start after a stream that lasted. Returns what the
/// last one said.
async fn round(
    context: &Arc<Context>,
    attempts: &TaskTracker,
    waits: &mut Waits,
    rounds: &mut u32,
) -> Status {
    let mut candidates = context.route.candidates();
    let mut asked = BTreeSet::new();
    let mut last = Status::unavailable("no coordinator is known");
    while let Some(address) = candidates.pop_front() {
        if !asked.insert(address.clone()) {
            continue;
        }
        let end = visit(context, attempts, &address).await;
        // The next visit begins with a new connection: this one may be to a host that is gone.
        context.caller.hang_up(&address);
        match end {
            Ok(lasted) if lasted >= STEADY => {
                waits.reset();
                *rounds = 0;
                candidates = context.route.candidates();
                asked.clear();
            }
            Ok(_) => return Status::unavailable(format!("{address} ended the stream at once")),
            Err(status) => {
                if let Some(redirect) = Redirect::of(&status) {
                    context.route.learn(&redirect.coordinators);
                    candidates.extend(redirect.coordinators);
                    if let Some(leader) = redirect.leader {
                        candidates.push_front(leader);
                    }
                } else if status.code() == Code::AlreadyExists {
                    tracing::error!(
                        worker = context.config.id,
                        reason = status.message(),
                        "another process has joined under this worker's id"
                    );
                }
                tracing::debug!(address, %status, "a coordinator does not take this worker");
                last = status;
            }
        }
    }
    last
}

/// Joins one coordinator and stays until the stream ends or there is doubt. Returns how long that
/// was; an error is a Join that was not accepted.
async fn visit(
    context: &Arc<Context>,
    attempts: &TaskTracker,
    address: &str,
) -> Result<Duration, Status> {
    let mut client = context
        .caller
        .client(address)
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let request = join_request(context);
    let joined = timeout(JOIN_TIMEOUT, client.join(request)).await;
    let stream = joined
        .map_err(|_| Status::deadline_exceeded(format!("{address} did not answer")))??
        .into_inner();
    let since = Instant::now();
    let leader = context.route.follow(address);
    tracing::info!(
        worker = context.config.id,
        leader = address,
        "joined the coordinators"
    );
    let end = tokio::select! {
        end = take_assignments(context, attempts, stream) => end,
        () = context.route.left(&leader) => Ok(()),
    };
    let redirect = end.as_ref().err().and_then(Redirect::of);
    context.route.doubt(&leader, redirect.as_ref());
    match end {
        Ok(()) => tracing::info!(leader = address, "the stream ended, looking for the leader"),
        Err(status) => tracing::warn!(leader = address, %status, "the stream broke"),
    }
    Ok(since.elapsed())
}

fn join_request(context: &Context) -> v1::JoinRequest {
    let config = &context.config;
    let running = context.running.keys();
    v1::JoinRequest {
        worker_id: config.id.clone(),
        cores: config.cores,
        memory_bytes: config.memory_bytes,
        slots: config.slots,
        running: running.into_iter().map(AttemptKey::to_proto).collect(),
        instance: context.instance.to_vec(),
        backends: BACKENDS.map(str::to_owned).to_vec(),
        warm: Some(warm(&context.provers)),
        draining: context.running.is_refusing(),
        lost_leader: context.route.lost_leader().unwrap_or_default(),
    }
}

/// The circuits whose keys are in memory, as many as are announced.
pub(super) fn warm(provers: &Provers) -> v1::WarmCircuits {
    let circuits = provers.warm().into_iter().take(WARM_ANNOUNCED_MAX);
    v1::WarmCircuits {
        circuits: circuits.map(|digest| digest.as_bytes().to_vec()).collect(),
    }
}

async fn take_assignments(
    context: &Arc<Context>,
    attempts: &TaskTracker,
    mut stream: Streaming<v1::Assignment>,
) -> Result<(), Status> {
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
    let guard: Option<Guard> = context.running.begin(key, length, context.config.slots);
    match guard {
        Some(guard) => {
            let span = spans::attempt(key.task, key.attempt, name(&work), &lease.traceparent);
            let running = async move { run_attempt(&context, &guard, work, lease.threads).await };
            attempts.spawn(running.instrument(span));
        }
        // It runs already: the coordinators repeated themselves after a lost stream.
        None if context.running.contains(&key) => {}
        None => {
            attempts.spawn(async move { context.reporter.hand_back(&key).await });
        }
    }
}

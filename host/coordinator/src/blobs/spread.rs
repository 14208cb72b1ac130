//! Bringing something to the disks of a majority.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::client::{Peer, PeerError};
use super::limits::{PUTS_AT_ONCE, RETRY};
use super::peers::Membership;

/// Bounds what is on its way to each peer.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<BTreeMap<u64, Arc<Semaphore>>>);

/// Too few have it: how many do, how many must, how many voters there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooFew {
    pub(super) stored: u32,
    pub(super) needed: u32,
    pub(super) members: u32,
}

// === impl Lanes ===

impl Lanes {
    fn of(&self, member: u64) -> Arc<Semaphore> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(member);
        Arc::clone(lane.or_insert_with(|| Arc::new(Semaphore::new(PUTS_AT_ONCE))))
    }
}

/// Does something at every peer and returns when a majority, this member included, has it. What
/// this member itself does is the caller's to wait for.
///
/// A peer that fails in a way that may pass is tried again, with jitter, until there are enough or
/// patience ends. What is under way to the others when there are enough goes on; nothing is begun.
pub(super) async fn spread<W>(
    group: &Membership,
    peers: Vec<Peer>,
    lanes: &Lanes,
    patience: Duration,
    work: impl Fn(Peer) -> W + Clone + Send + Sync + 'static,
) -> Result<(), TooFew>
where
    W: Future<Output = Result<(), PeerError>> + Send,
{
    let mut stored = BTreeSet::from([group.me]);
    if group.is_majority(&stored) {
        return Ok(());
    }
    // Also when the caller leaves.
    let enough = CancellationToken::new();
    let _enough = enough.clone().drop_guard();
    let deadline = Instant::now() + patience;
    let (done, mut answers) = mpsc::channel(peers.len().max(1));
    for peer in peers {
        let (lane, enough) = (lanes.of(peer.member), enough.clone());
        let (work, done) = (work.clone(), done.clone());
        tokio::spawn(async move {
            let permit = tokio::select! {
                biased;
                () = enough.cancelled() => return,
                permit = lane.acquire_owned() => permit,
            };
            let member = peer.member;
            let again = |error: &PeerError| error.may_pass() && !enough.is_cancelled();
            let tried = (|| work(peer.clone()))
                .retry(backoff())
                .sleep(tokio::time::sleep)
                .when(again);
            let result = timeout_at(deadline, tried).await;
            drop(permit);
            // The caller may be gone, with its majority or without.
            let _ = done.send((member, result)).await;
        });
    }
    drop(done);
    while let Ok(Some((member, result))) = timeout_at(deadline, answers.recv()).await {
        match result {
            Ok(Ok(())) => {
                stored.insert(member);
                if group.is_majority(&stored) {
                    return Ok(());
                }
            }
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(member, error, "a member did not store what it was sent");
            }
            Err(_) => tracing::warn!(member, "a member did not store what it was sent in time"),
        }
    }
    let (stored, needed, members) = group.tally(&stored);
    Err(TooFew {
        stored,
        needed,
        members,
    })
}

/// Waits between tries: doubled each time, with jitter, for as long as the caller has patience.
fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(RETRY.0)
        .with_max_delay(RETRY.1)
        .with_jitter()
        .without_max_times()
}

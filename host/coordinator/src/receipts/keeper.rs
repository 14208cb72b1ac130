//! Upkeep of one member's log: leaves go to the disk, those that are missing come from the others,
//! the leader signs, and the others keep what it signed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aureole_api::internal::v1;
use aureole_api::internal::v1::log_client::LogClient;
use aureole_receipts::{Head, Tree, limits::NOTE_BYTES_MAX};
use aureole_store::{TileLog, TileLogError, Upkeep};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use super::damage::{Verdict, chain, inspect};
use super::notary::{Notary, NotaryError};
use crate::Coordinator;
use crate::blobs::Peers;
use crate::limits::{AUDIT_EVERY, AUDITS_APART, CHECKPOINT_EVERY, LOG_CALL_PATIENCE};
use crate::runtime::apart;

/// How a member's log is kept.
#[derive(Clone, Copy, Debug)]
pub struct LogKeeperConfig {
    /// How often leaves are written and checkpoints signed or fetched. Default 1 s.
    pub every: Duration,
}

/// The upkeep of one member's log. Dropping it without [`LogKeeper::stop`] ends it at once.
#[derive(Debug)]
pub struct LogKeeper {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// What the upkeep works with.
struct Keeping {
    every: Duration,
    coordinator: Coordinator,
    log: Arc<TileLog>,
    peers: Arc<dyn Peers>,
    notary: Notary,
}

/// Why nobody could send what is missing.
#[derive(Debug, thiserror::Error)]
enum PullError {
    #[error("it cannot be dialled")]
    Dial(#[from] crate::DialError),
    #[error("it refused or broke off: {}", .0.message())]
    Call(Box<tonic::Status>),
    #[error("it did not answer in time")]
    Silent,
    #[error("it does not have {0}")]
    Lacks(aureole_receipts::Tile),
    #[error("what it sent")]
    Sent(#[from] TileLogError),
}

impl Default for LogKeeperConfig {
    fn default() -> Self {
        Self {
            every: CHECKPOINT_EVERY,
        }
    }
}

// === impl LogKeeper ===

impl LogKeeper {
    /// Starts the upkeep.
    pub fn start(
        config: LogKeeperConfig,
        coordinator: Coordinator,
        peers: Arc<dyn Peers>,
        notary: Notary,
    ) -> Self {
        let stop = CancellationToken::new();
        let keeping = Arc::new(Keeping {
            every: config.every,
            log: Arc::clone(coordinator.log()),
            coordinator,
            peers,
            notary,
        });
        // Reading everything takes minutes, in which leaves go on coming.
        let audits = tokio::spawn(run_audits(Arc::clone(&keeping), stop.clone()));
        let rounds = tokio::spawn(run_rounds(keeping, stop.clone()));
        Self {
            stop,
            tasks: vec![rounds, audits],
        }
    }

    /// Stops and waits until nothing is touched any more.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::error!(%error, "the upkeep of the log did not end well");
            }
        }
    }
}

impl Drop for LogKeeper {
    fn drop(&mut self) {
        self.stop.cancel();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn run_rounds(keeping: Arc<Keeping>, stop: CancellationToken) {
    let mut round = interval(keeping.every);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = round.tick() => {}
            () = keeping.log.many_waiting() => {}
        }
        keeping.round().await;
    }
}

async fn run_audits(keeping: Arc<Keeping>, stop: CancellationToken) {
    let mut audit = interval(AUDIT_EVERY);
    audit.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = audit.tick() => {}
            () = keeping.log.suspected() => {}
        }
        keeping.audit().await;
        // Whoever meets a bad tile again and again has it read whole no more often than this.
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(keeping.every * AUDITS_APART) => {}
        }
    }
}

// === impl Keeping ===

impl Keeping {
    async fn round(&self) {
        let tree = self.coordinator.read(|state| state.log().clone());
        if tree.size() == 0 {
            return;
        }
        let log = Arc::clone(&self.log);
        let settled = apart(move || log.settle()).await;
        let complete = match settled {
            Ok(Ok(size)) => size >= tree.size() && self.is_of(&tree).await,
            Ok(Err(TileLogError::Behind { have, needed })) => {
                tracing::debug!(have, needed, "leaves before those at hand are missing");
                false
            }
            Ok(Err(error)) => {
                let told = format!("its tiles are not written: {}", chain(&error));
                self.tell(Upkeep::Filling, told);
                return;
            }
            Err(_) => return,
        };
        if complete {
            self.log.report(Upkeep::Filling, None);
        } else if self.is_alone() {
            self.rebuild(&tree).await;
        } else {
            self.pull(&tree).await;
        }
        self.checkpoint(tree.size()).await;
    }

    /// Whether the tiles on disk are those of the facts; if not they are forgotten.
    async fn is_of(&self, tree: &Tree) -> bool {
        if may_be_of(&self.log.head(), tree) {
            return true;
        }
        tracing::error!(
            size = tree.size(),
            "the tiles on this disk are of another log than the facts: they are forgotten"
        );
        self.forget().await;
        false
    }

    /// Reads everything, and has it made anew if a bit has rotted for certain.
    async fn audit(&self) {
        let log = Arc::clone(&self.log);
        let Ok(verdict) = apart(move || inspect(&log)).await else {
            return;
        };
        let damage = matches!(verdict, Verdict::Damaged(_));
        match verdict {
            Verdict::Sound => {
                self.log.report(Upkeep::Audit, None);
                return;
            }
            Verdict::Unread(why) | Verdict::Damaged(why) => self.tell(Upkeep::Audit, why),
        }
        if damage || self.is_alone() {
            self.forget().await;
        }
    }

    /// Has the log filled anew from the others; without others it is made anew from its own leaves.
    async fn forget(&self) {
        if self.is_alone() {
            let tree = self.coordinator.read(|state| state.log().clone());
            return self.rebuild(&tree).await;
        }
        let log = Arc::clone(&self.log);
        match apart(move || log.reset()).await {
            Ok(Ok(())) => {
                self.log.report(Upkeep::Audit, None);
            }
            Ok(Err(error)) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the tiles of another log stay"
            ),
            Err(_) => {}
        }
    }

    /// Makes the tiles anew from the leaves that are on this disk, where nobody else has any.
    async fn rebuild(&self, tree: &Tree) {
        let (log, facts) = (Arc::clone(&self.log), tree.clone());
        match apart(move || log.rebuild(&facts)).await {
            Ok(Ok(())) => {
                self.log.report(Upkeep::Filling, None);
                self.log.report(Upkeep::Audit, None);
                tracing::info!(
                    size = tree.size(),
                    "the log's tiles were made anew from its leaves"
                );
            }
            Ok(Err(error)) => {
                let why = chain(&error);
                let told = format!("{why}; {PUT_BACK}");
                self.tell(Upkeep::Filling, told);
            }
            Err(_) => {}
        }
    }

    fn is_alone(&self) -> bool {
        self.peers.group().others().next().is_none()
    }

    /// Says what is wrong: once in the log, and in this member's health until it is right.
    fn tell(&self, by: Upkeep, trouble: String) {
        if self.log.report(by, Some(trouble.clone())) {
            tracing::error!(trouble, "the log of proofs on this disk");
        }
    }

    /// Gets the leaves that this disk lacks from the first member that has them.
    async fn pull(&self, tree: &Tree) {
        let group = self.peers.group();
        let mut foreign = false;
        for (member, address) in group.others() {
            match self.pull_from(address, tree).await {
                Ok(()) => {
                    tracing::info!(
                        member,
                        size = tree.size(),
                        "the log was filled from a member"
                    );
                    self.log.report(Upkeep::Filling, None);
                    return;
                }
                Err(error) => {
                    foreign |= matches!(error, PullError::Sent(TileLogError::Root { .. }));
                    tracing::warn!(
                        member,
                        error = &error as &dyn std::error::Error,
                        "the log is not filled from a member"
                    );
                }
            }
        }
        // What they sent does not continue what is here: one of the two is wrong.
        if foreign && self.log.size() > 0 {
            self.log.suspect();
        }
        let have = self.log.size();
        let needed = tree.size();
        let told = format!("it has {have} leaves of {needed}, and no member sends the others");
        self.log.report(Upkeep::Filling, Some(told));
    }

    async fn pull_from(&self, address: &str, tree: &Tree) -> Result<(), PullError> {
        let mut client = self.client(address)?;
        let mut filler = self.log.filler();
        while let Some(bundle) = filler.next(tree.size()) {
            let path = bundle.to_string();
            let call = client.get_tile(v1::GetTileRequest { path });
            let reply = within(call).await?;
            let bytes = reply.bytes.ok_or(PullError::Lacks(bundle))?;
            // A bundle is written in a millisecond or two.
            filler.push(&bundle, &bytes)?;
        }
        Ok(filler.finish(tree)?)
    }

    fn client(&self, address: &str) -> Result<LogClient<Channel>, PullError> {
        let channel = self.peers.channel(address)?;
        let client = LogClient::new(channel);
        Ok(client.max_decoding_message_size(NOTE_BYTES_MAX))
    }

    /// Signs on the leader; elsewhere keeps what was signed.
    async fn checkpoint(&self, size: u64) {
        if self.coordinator.is_leading() {
            match self.notary.covering(size).await {
                Ok(_) | Err(NotaryError::NotLeader(_)) => {}
                Err(error) => tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "no checkpoint is signed"
                ),
            }
            return;
        }
        if let Ok(Some((newest, _))) = self.notary.newest().await
            && newest >= size
        {
            return;
        }
        for (member, address) in self.peers.group().others() {
            let Ok(Some(note)) = self.fetch(address).await else {
                continue;
            };
            if let Err(error) = self.notary.adopt(note).await {
                tracing::error!(
                    member,
                    error = &error as &dyn std::error::Error,
                    "a member's checkpoint is not this member's log"
                );
            }
        }
    }

    async fn fetch(&self, address: &str) -> Result<Option<String>, PullError> {
        let mut client = self.client(address)?;
        let call = client.get_checkpoint(v1::GetCheckpointRequest {});
        Ok(within(call).await?.note)
    }
}

/// What an operator does about leaves that are nowhere on this disk.
const PUT_BACK: &str = "put the files of receipts/tile/entries in data_dir back, from a backup or from a copy \
     that an auditor keeps: they are checked against the ledger and taken up within a second; until then \
     this member stops before its log is purged";

/// Whether tiles with a head may be those of the facts. If they have become longer the next round
/// compares again; size and root must be of one moment, or a settling in between makes them foreign.
fn may_be_of(head: &Head, tree: &Tree) -> bool {
    head.size != tree.size() || head.root == tree.root()
}

impl fmt::Debug for Keeping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeping").finish_non_exhaustive()
    }
}

async fn within<T>(
    call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
) -> Result<T, PullError> {
    let answer = timeout(LOG_CALL_PATIENCE, call).await;
    let answer = answer.map_err(|_| PullError::Silent)?;
    let answer = answer.map_err(|status| PullError::Call(Box::new(status)))?;
    Ok(answer.into_inner())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use aureole_receipts::{Hash, Head, Tree};

    use super::may_be_of;

    fn tree(leaves: &[&[u8]]) -> Tree {
        let mut tree = Tree::new();
        for leaf in leaves {
            tree.append(Hash::of_leaf(leaf)).unwrap();
        }
        tree
    }

    #[test]
    fn tiles_are_foreign_only_with_another_root_at_the_same_size() {
        let facts = tree(&[b"a", b"b"]);
        assert!(may_be_of(&facts.head(), &facts));
        assert!(!may_be_of(&tree(&[b"a", b"c"]).head(), &facts));
        assert!(may_be_of(&tree(&[b"a", b"b", b"c"]).head(), &facts));
        assert!(may_be_of(&tree(&[b"x"]).head(), &facts));
        // What reading the size before a settling and the root behind it would have made.
        let torn = Head {
            size: 2,
            root: tree(&[b"a", b"b", b"c"]).root(),
        };
        assert!(!may_be_of(&torn, &facts));
    }
}

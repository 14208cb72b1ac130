//! Proposals: concurrent ones share a log entry, and so an fsync.
//!
//! One task takes what waits and writes it as one entry. What arrives while an entry is under way is the
//! next one, for an entry costs much the same whatever is in it; it goes beside the first where enough
//! waits. A single proposal is not delayed.

use std::sync::Arc;
use std::time::Duration;

use aureole_ledger::{Command, CommandError, Outcome};
use openraft::error::{ClientWriteError, Fatal};
use openraft::raft::ClientWriteResult;
use thiserror::Error;
use tokio::sync::{Mutex, Notify, mpsc, oneshot};

use crate::group::Group;
use crate::limits::{
    BATCH_MAX, BESIDE_MIN, PROPOSALS_QUEUED_MAX, PROPOSE_PATIENCE, REGROUP_YIELDS,
};
use crate::raft::{Batch, Raft, Types};

/// Why a proposal has no outcome.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ProposeError {
    /// The command breaks a limit and was not proposed.
    #[error("the command is not acceptable")]
    Invalid(#[from] CommandError),
    /// This member does not lead the group; nothing was changed.
    #[error("member {} leads", leader.map_or_else(|| "none".to_owned(), |id| id.to_string()))]
    NotLeader {
        /// Who does, if that is known.
        leader: Option<u64>,
    },
    /// No majority decided in time. The command may or may not be committed.
    #[error("no majority decided within {} s", waited.as_secs())]
    Undecided {
        /// How long it was waited for.
        waited: Duration,
    },
    /// The member stopped. The command may or may not have been committed.
    #[error("the coordinator has stopped: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
}

type Answer = Result<Outcome, ProposeError>;

struct Proposal {
    command: Command,
    encoded: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

/// Where commands are proposed. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Proposer {
    queue: mpsc::Sender<Proposal>,
    /// Told when enough waits for an entry beside the one under way.
    full: Arc<Notify>,
    group: Arc<Group>,
}

// === impl Proposer ===

impl Proposer {
    /// Starts the task that writes; it ends when the last clone is dropped.
    pub(crate) fn start(group: Arc<Group>) -> Self {
        let (queue, waiting) = mpsc::channel(PROPOSALS_QUEUED_MAX);
        let full = Arc::new(Notify::new());
        tokio::spawn(write_batches(
            Arc::clone(&group),
            waiting,
            Arc::clone(&full),
        ));
        Self { queue, full, group }
    }

    /// Proposes a command and waits until it is committed, on disk and applied.
    ///
    /// # Cancel safety
    /// A proposal whose future is dropped may or may not be committed.
    pub(crate) async fn propose(&self, command: Command) -> Answer {
        let encoded = command.encode()?;
        self.group.may_propose()?;
        let (answer, answered) = oneshot::channel();
        let stopped = || ProposeError::Stopped {
            reason: "it is shutting down".to_owned(),
        };
        self.queue
            .send(Proposal {
                command,
                encoded,
                answer,
            })
            .await
            .map_err(|_| stopped())?;
        if self.queue.max_capacity() - self.queue.capacity() >= BESIDE_MIN {
            self.full.notify_one();
        }
        answered.await.map_err(|_| stopped())?
    }
}

async fn write_batches(
    group: Arc<Group>,
    mut waiting: mpsc::Receiver<Proposal>,
    full: Arc<Notify>,
) {
    // The way of an entry that goes alone, and of one that goes beside it.
    let (alone, beside) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
    let mut batch = Vec::with_capacity(BATCH_MAX);
    loop {
        let way = tokio::select! {
            biased;
            way = Arc::clone(&alone).lock_owned() => way,
            way = async {
                // What was told of may have gone since.
                while waiting.len() < BESIDE_MIN {
                    full.notified().await;
                }
                Arc::clone(&beside).lock_owned().await
            } => way,
        };
        if waiting.recv_many(&mut batch, BATCH_MAX).await == 0 {
            return;
        }
        let mut answers = Vec::with_capacity(batch.len());
        let mut commands = Vec::with_capacity(batch.len());
        let mut encoded = Vec::with_capacity(batch.len());
        for proposal in batch.drain(..) {
            answers.push(proposal.answer);
            commands.push(proposal.command);
            encoded.push(proposal.encoded);
        }
        // A hand-over of leadership lets what is written be decided, and holds what follows.
        let writing = Arc::clone(&group.writing).read_owned().await;
        // In order: what was proposed first comes first in the log.
        let begun = begin(&group.raft, Batch::of(commands, &encoded)).await;
        let raft = group.raft.clone();
        tokio::spawn(async move {
            let written = match begun {
                Ok(deciding) => decided(&raft, deciding).await,
                Err(error) => Err(error),
            };
            drop(writing);
            answer(answers, written);
            for _ in 0..REGROUP_YIELDS {
                tokio::task::yield_now().await;
            }
            drop(way);
        });
    }
}

/// Tells every proposer of a batch. A dropped receiver is a proposer that went away.
fn answer(answers: Vec<oneshot::Sender<Answer>>, written: Result<Vec<Outcome>, ProposeError>) {
    match written {
        Ok(outcomes) => {
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                let _ = answer.send(Ok(outcome));
            }
        }
        Err(error) => {
            for answer in answers {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

/// Writes one entry without commands, and waits until it is applied.
pub(crate) async fn write_nothing(raft: &Raft) -> Result<(), ProposeError> {
    let deciding = begin(raft, Batch::default()).await?;
    decided(raft, deciding).await.map(|_| ())
}

type Deciding = oneshot::Receiver<ClientWriteResult<Types>>;

/// Hands an entry to Raft.
async fn begin(raft: &Raft, batch: Batch) -> Result<Deciding, ProposeError> {
    let begun = raft.client_write_ff(batch).await;
    begun.map_err(|fatal| stopped(&fatal))
}

/// Waits until an entry is applied.
async fn decided(raft: &Raft, deciding: Deciding) -> Result<Vec<Outcome>, ProposeError> {
    let undecided = |_| ProposeError::Undecided {
        waited: PROPOSE_PATIENCE,
    };
    let decided = tokio::time::timeout(PROPOSE_PATIENCE, deciding).await;
    match decided.map_err(undecided)? {
        Ok(Ok(response)) => Ok(response.data.0),
        Ok(Err(ClientWriteError::ForwardToLeader(forward))) => Err(ProposeError::NotLeader {
            leader: forward.leader_id,
        }),
        Ok(Err(other)) => Err(ProposeError::Stopped {
            reason: other.to_string(),
        }),
        // Raft has let go of it: it has ended, and says why.
        Err(_) => Err(match &raft.metrics().borrow().running_state {
            Err(fatal) => stopped(fatal),
            Ok(()) => stopped(&Fatal::Stopped),
        }),
    }
}

fn stopped(fatal: &Fatal<u64>) -> ProposeError {
    ProposeError::Stopped {
        reason: fatal.to_string(),
    }
}

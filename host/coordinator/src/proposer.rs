//! Proposals: concurrent ones share a log entry, and so an fsync.
//!
//! One task takes what waits, writes it as one entry and hands the outcomes back; what arrives in the
//! meantime is the next entry. A single proposal is not delayed.

use std::sync::Arc;
use std::time::Duration;

use aureole_ledger::{Command, CommandError, Outcome};
use openraft::error::{ClientWriteError, Fatal, RaftError};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::group::Group;
use crate::limits::{BATCH_MAX, PROPOSALS_QUEUED_MAX, PROPOSE_PATIENCE};
use crate::raft::{Batch, Raft};

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
    answer: oneshot::Sender<Answer>,
}

/// Where commands are proposed. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Proposer {
    queue: mpsc::Sender<Proposal>,
    group: Arc<Group>,
}

// === impl Proposer ===

impl Proposer {
    /// Starts the task that writes; it ends when the last clone is dropped.
    pub(crate) fn start(group: Arc<Group>) -> Self {
        let (queue, waiting) = mpsc::channel(PROPOSALS_QUEUED_MAX);
        tokio::spawn(write_batches(Arc::clone(&group), waiting));
        Self { queue, group }
    }

    /// Proposes a command and waits until it is committed, on disk and applied.
    ///
    /// # Cancel safety
    /// A proposal whose future is dropped may or may not be committed.
    pub(crate) async fn propose(&self, command: Command) -> Answer {
        command.encode()?;
        self.group.may_propose()?;
        let (answer, answered) = oneshot::channel();
        let stopped = || ProposeError::Stopped {
            reason: "it is shutting down".to_owned(),
        };
        self.queue
            .send(Proposal { command, answer })
            .await
            .map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

async fn write_batches(group: Arc<Group>, mut waiting: mpsc::Receiver<Proposal>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let (commands, answers): (Vec<_>, Vec<_>) = batch
            .drain(..)
            .map(|proposal| (proposal.command, proposal.answer))
            .unzip();
        let written = {
            // A hand-over of leadership lets what is written be decided, and holds what follows.
            let _writing = group.writing.lock().await;
            write(&group.raft, commands).await
        };
        match written {
            Ok(outcomes) => {
                // A dropped receiver is a proposer that went away.
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
}

/// Writes one entry.
pub(crate) async fn write(
    raft: &Raft,
    commands: Vec<Command>,
) -> Result<Vec<Outcome>, ProposeError> {
    let written = tokio::time::timeout(PROPOSE_PATIENCE, raft.client_write(Batch(commands))).await;
    let undecided = |_| ProposeError::Undecided {
        waited: PROPOSE_PATIENCE,
    };
    match written.map_err(undecided)? {
        Ok(response) => Ok(response.data.0),
        Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
            Err(ProposeError::NotLeader {
                leader: forward.leader_id,
            })
        }
        Err(RaftError::APIError(other)) => Err(ProposeError::Stopped {
            reason: other.to_string(),
        }),
        Err(RaftError::Fatal(fatal)) => Err(stopped(&fatal)),
    }
}

fn stopped(fatal: &Fatal<u64>) -> ProposeError {
    ProposeError::Stopped {
        reason: fatal.to_string(),
    }
}

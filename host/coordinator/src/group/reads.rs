//! Linearizable reads: before one, a majority confirms that this member leads. Reads that come in
//! while a confirmation is under way share the next one.

use openraft::error::{CheckIsLeaderError, RaftError};
use tokio::sync::{mpsc, oneshot};

use crate::limits::{PROPOSALS_QUEUED_MAX, READ_PATIENCE, READ_PAUSE};
use crate::proposer::ProposeError;
use crate::raft::Raft;

type Answer = Result<(), ProposeError>;

/// Where reads are announced. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Reads {
    queue: mpsc::Sender<oneshot::Sender<Answer>>,
}

// === impl Reads ===

impl Reads {
    /// Starts the task that confirms; it ends when the last clone is dropped.
    pub(crate) fn start(raft: Raft) -> Self {
        let (queue, waiting) = mpsc::channel(PROPOSALS_QUEUED_MAX);
        tokio::spawn(confirm_all(raft, waiting));
        Self { queue }
    }

    /// Waits until everything that was committed before this call is applied here.
    pub(crate) async fn linearizable(&self) -> Answer {
        let stopped = || ProposeError::Stopped {
            reason: "it is shutting down".to_owned(),
        };
        let (answer, answered) = oneshot::channel();
        self.queue.send(answer).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

async fn confirm_all(raft: Raft, mut waiting: mpsc::Receiver<oneshot::Sender<Answer>>) {
    let mut round = Vec::new();
    while waiting.recv_many(&mut round, PROPOSALS_QUEUED_MAX).await > 0 {
        let answer = confirm(&raft).await;
        for waiter in round.drain(..) {
            // A dropped receiver is a reader that went away.
            let _ = waiter.send(answer.clone());
        }
    }
}

/// Confirms once, and again while too few answer and there is time.
async fn confirm(raft: &Raft) -> Answer {
    let attempts = async {
        loop {
            match raft.ensure_linearizable().await {
                Ok(_) => return Ok(()),
                Err(RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(few))) => {
                    tracing::debug!(%few, "too few members answered in time");
                    tokio::time::sleep(READ_PAUSE).await;
                }
                Err(RaftError::APIError(CheckIsLeaderError::ForwardToLeader(forward))) => {
                    return Err(ProposeError::NotLeader {
                        leader: forward.leader_id,
                    });
                }
                Err(RaftError::Fatal(fatal)) => {
                    return Err(ProposeError::Stopped {
                        reason: fatal.to_string(),
                    });
                }
            }
        }
    };
    let nobody = || Err(ProposeError::NotLeader { leader: None });
    tokio::time::timeout(READ_PATIENCE, attempts)
        .await
        .unwrap_or_else(|_| nobody())
}

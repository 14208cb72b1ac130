//! The log of accepted proofs: receipts, checkpoints, tiles, proofs about it.

use std::error::Error;

use aureole_api::{Problem, codes, rest};
use aureole_coordinator::receipts::{Notary, NotaryError};
use aureole_gateway::{Blob, Caller, LogRead};
use aureole_ledger::{Digest, TaskId};
use aureole_receipts::{Checkpoint, Head, Log, LogError, Opening, Receipt, Tile, TileReader as _};
use aureole_store::TileLogError;
use serde::Serialize;
use serde_json::Value;

use super::{Desk, blocking, storage};

/// What reading the log in a thread of its own may meet.
type Failure = Box<dyn Error + Send + Sync>;

// === impl Desk ===

impl Desk {
    /// The receipt of a task's proof, with what only its owner is told.
    pub(crate) async fn receipt_of(&self, caller: &Caller, id: TaskId) -> Result<Value, Problem> {
        let task = self.task_anywhere(caller, id).await?;
        let Some(accepted) = task.receipt else {
            // Not a proof, or none that was accepted: said as of the proof itself.
            self.proof_of(caller, id).await?;
            let detail = format!("task {id} has no receipt");
            return Err(Problem::new(codes::task::NO_PROOF, detail));
        };
        let index = accepted.leaf;
        let note = self.covering(index.saturating_add(1)).await?;
        let (log, notary) = (self.coordinator.log().clone(), self.notary.clone());
        let made = blocking(move || -> Result<Receipt, Failure> {
            let leaf = log.leaf(index)?;
            Ok(Receipt::make(&*log, leaf, index, &note, notary.trusted())?)
        });
        let receipt = made.await?.map_err(|error| self.unreadable(&*error))?;
        let build = Digest::from_bytes(*receipt.leaf.verifier.as_bytes());
        let verifier = self
            .coordinator
            .read(|state| state.build(&build).map(str::to_owned));
        let receipt = match verifier {
            Some(verifier) => {
                let opening = Opening {
                    salt: parsed(&accepted.salt)?,
                    public_inputs: parsed(&accepted.public_inputs_digest)?,
                    verifier,
                };
                let opened = receipt.opened(opening);
                opened.map_err(|error| self.unreadable(&error))?
            }
            None => receipt,
        };
        serde_json::to_value(&receipt).map_err(|error| unavailable(&error))
    }

    /// What is read of the log itself.
    pub(crate) async fn log_read(&self, _caller: &Caller, read: LogRead) -> Result<Blob, Problem> {
        match read {
            LogRead::Key => Ok(blob(format!("{}\n", self.notary.verifier()).into_bytes())),
            LogRead::Checkpoint => Ok(blob(self.newest().await?.1.into_bytes())),
            LogRead::Tile(path) => self.tile(path).await,
            LogRead::Inclusion { index, size } => {
                let (head, note) = self.head_at(size).await?;
                if index >= head.size {
                    return Err(beyond(index, head.size));
                }
                self.proof_about(head, note, index, move |log| log.inclusion(index))
                    .await
            }
            LogRead::Consistency { from, to } => {
                let (head, note) = self.head_at(to).await?;
                if from > head.size {
                    return Err(beyond(from, head.size));
                }
                self.proof_about(head, note, from, move |log| log.consistency(from))
                    .await
            }
        }
    }

    async fn tile(&self, path: String) -> Result<Blob, Problem> {
        let unknown = || Problem::new(codes::log::TILE, "the log has no tile of this path");
        let tile: Tile = path.parse().map_err(|_| unknown())?;
        // Nothing is shown that no checkpoint covers.
        let (size, _) = self.newest().await?;
        if !tile.is_within(size) {
            return Err(unknown());
        }
        let log = self.coordinator.log().clone();
        let read = blocking(move || log.read(&tile)).await?;
        let bytes = read.map_err(|error| self.unreadable(&error))?;
        Ok(blob(bytes.ok_or_else(unknown)?))
    }

    /// A size, or the newest checkpoint's, and the root that the log had then.
    async fn head_at(&self, size: Option<u64>) -> Result<(Head, String), Problem> {
        let (newest, note) = self.newest().await?;
        let size = size.unwrap_or(newest);
        if size > newest {
            return Err(beyond(size, newest));
        }
        let log = self.coordinator.log().clone();
        let root = blocking(move || Log::new(&*log, size).root_at(size)).await?;
        let root = root.map_err(|error| self.unreadable(&error))?;
        Ok((Head { size, root }, note))
    }

    async fn proof_about(
        &self,
        head: Head,
        checkpoint: String,
        of: u64,
        prove: impl FnOnce(
            &mut Log<'_, aureole_store::TileLog>,
        ) -> Result<Vec<aureole_receipts::Hash>, LogError<TileLogError>>
        + Send
        + 'static,
    ) -> Result<Blob, Problem> {
        let log = self.coordinator.log().clone();
        let hashes = blocking(move || prove(&mut Log::new(&*log, head.size))).await?;
        let hashes = hashes.map_err(|error| self.unreadable(&error))?;
        document(&rest::LogProof {
            of,
            size: head.size,
            root: head.root.to_string(),
            hashes: hashes.iter().map(ToString::to_string).collect(),
            checkpoint,
        })
    }

    /// The newest checkpoint; the first one is signed when it is asked for.
    async fn newest(&self) -> Result<(u64, String), Problem> {
        let leaves = self.coordinator.read(|state| state.log().size()).min(1);
        if leaves == 0 {
            return Err(Problem::new(codes::log::EMPTY, "the log has no leaf yet"));
        }
        let note = self.covering(leaves).await?;
        let opened = Checkpoint::open(&note, self.notary.trusted());
        let opened = opened.map_err(|error| self.unreadable(&error))?;
        Ok((opened.checkpoint.head().size, note))
    }

    /// A checkpoint of so many leaves at least.
    async fn covering(&self, leaves: u64) -> Result<String, Problem> {
        let notary: &Notary = &self.notary;
        notary.covering(leaves).await.map_err(|error| match error {
            NotaryError::NotLeader(_) => Problem::new(
                codes::node::NO_LEADER,
                "checkpoints are the leader's to sign",
            ),
            error => self.unreadable(&error),
        })
    }

    /// What the log on this disk met; it is read whole soon, and this member's health tells.
    fn unreadable(&self, error: &(dyn Error + 'static)) -> Problem {
        self.coordinator.log().suspect();
        unavailable(error)
    }
}

fn blob(bytes: Vec<u8>) -> Blob {
    Blob {
        digest: Digest::of(&bytes),
        bytes: bytes.into(),
    }
}

fn document(document: &impl Serialize) -> Result<Blob, Problem> {
    let bytes = serde_json::to_vec(document);
    Ok(blob(bytes.map_err(|error| unavailable(&error))?))
}

fn beyond(asked: u64, size: u64) -> Problem {
    let detail = format!("{asked} was asked for, the log has {size} leaves");
    Problem::new(codes::log::BEYOND, detail)
}

fn parsed<T: std::str::FromStr<Err: Error + 'static>>(text: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|error: T::Err| storage(&error, "a task's record does not read"))
}

/// The cause is for the operator, in the log of the node.
fn unavailable(error: &(dyn Error + 'static)) -> Problem {
    tracing::error!(error, "the log of proofs");
    Problem::new(
        codes::log::UNAVAILABLE,
        "the log of proofs cannot be read now",
    )
}

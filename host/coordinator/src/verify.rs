//! What the coordinator needs of others: a verifier, and the keys of sealed inputs.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use aureole_ledger::{Digest, TaskId};
use thiserror::Error;

/// What a verifier says of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The proof is one of this circuit for these public inputs.
    Valid,
    /// It is not.
    Invalid {
        /// Why, for people.
        reason: String,
    },
}

/// A proof could not be verified; it may be valid.
#[derive(Debug, Error)]
#[error("the proof could not be verified: {reason}")]
pub struct VerifyError {
    /// What happened.
    pub reason: String,
}

/// Verifies proofs before they are accepted.
///
/// It must run in another process than the one that made the proof, must check the exact length of
/// the proof and of the public inputs first, and must verify under the key of the circuit named.
#[async_trait]
pub trait Verifier: Send + Sync + fmt::Debug + 'static {
    /// Verifies a proof of the circuit whose canonical bytes have this digest. The public inputs are
    /// 32 bytes each, in the circuit's order.
    async fn verify(
        &self,
        circuit: Digest,
        public_inputs: Vec<u8>,
        proof: Vec<u8>,
    ) -> Result<Verdict, VerifyError>;
}

/// A key could not be read; it may exist.
pub type KeyError = Box<dyn Error + Send + Sync>;

/// Keeps the keys of sealed inputs. Called on a thread that may block.
pub trait InputKeys: Send + Sync + fmt::Debug + 'static {
    /// Returns the key of a task's input, or `None` when it was destroyed.
    ///
    /// # Errors
    /// Whatever kept the key from being read: another attempt may succeed.
    fn key(&self, task: TaskId) -> Result<Option<[u8; 32]>, KeyError>;
}

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

/// What identifies a circuit's verifying key, and the one length of its proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitKey {
    /// Identity of the key.
    pub digest: Digest,
    /// Bytes of every proof.
    pub proof_bytes: u32,
}

/// The verifier has no answer; whatever it was asked about may be well.
#[derive(Debug, Error)]
#[error("the verifier has no answer: {reason}")]
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
    /// Names this build of the verifier: what it let pass can be found by it, should it prove faulty.
    fn build(&self) -> &str;

    /// Makes the key of the circuit whose canonical bytes have this digest, or remembers it: what a
    /// worker says of a circuit's key is believed once the verifier has made the same.
    async fn key(&self, circuit: Digest) -> Result<CircuitKey, VerifyError>;

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

/// Keeps the keys of sealed inputs.
#[async_trait]
pub trait InputKeys: Send + Sync + fmt::Debug + 'static {
    /// Returns the key of a task's sealed input, which the ledger names; `None` when it was
    /// destroyed.
    ///
    /// # Errors
    /// Whatever kept the key from being read: another attempt may succeed.
    async fn key(&self, task: TaskId, input: Digest) -> Result<Option<[u8; 32]>, KeyError>;
}

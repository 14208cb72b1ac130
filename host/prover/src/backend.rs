//! What a proving backend does: the seam for a second proof system.

use std::fmt;

use aureole_ir::{Annotations, CheckedCircuit, Witness};
use rayon::ThreadPool;
use serde::{Deserialize, Serialize};

use crate::{Error, Failure, KeyDigest, Proof, Unsatisfied, Verdict};

/// What is known of a circuit once it has keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFacts {
    /// Identity of the key.
    pub key_digest: KeyDigest,
    /// Length of every proof.
    pub proof_bytes: u64,
    /// Bytes a proving key takes in memory.
    pub memory_bytes: u64,
    /// Bytes a verifying key takes in memory, about.
    pub verifying_bytes: u64,
}

/// A proof system over the circuit's IR. All calls block, and may be made from any thread.
///
/// An implementation refuses a circuit of another backend, checks exact lengths before it
/// verifies, draws blinding from the operating system only, and catches its library's panics.
pub trait Backend: fmt::Debug + Send + Sync {
    /// Makes the keys and keeps them warm if they fit.
    ///
    /// # Errors
    /// If the backend cannot make keys for the circuit.
    fn keygen(&self, circuit: &CheckedCircuit) -> Result<KeyFacts, Error>;

    /// Proves, on the given threads or on rayon's global ones. The witness is not checked for
    /// satisfaction first, and the proof not verified afterwards.
    ///
    /// # Errors
    /// If the witness has another shape than the circuit, or the library fails.
    fn prove_in(
        &self,
        circuit: &CheckedCircuit,
        witness: &Witness,
        pool: Option<&ThreadPool>,
    ) -> Result<Proof, Error>;

    /// Verifies one proof against flat public inputs, 32 bytes each.
    ///
    /// # Errors
    /// If there can be no key; a bad proof is a verdict, not an error.
    fn verify(
        &self,
        circuit: &CheckedCircuit,
        public_inputs: &[u8],
        proof: &[u8],
    ) -> Result<Verdict, Error>;

    /// Verifies many proofs of one circuit together; a verdict for each, in order.
    ///
    /// # Errors
    /// As [`Backend::verify`].
    fn verify_batch(
        &self,
        circuit: &CheckedCircuit,
        proofs: &[(&[u8], &[u8])],
    ) -> Result<Vec<Verdict>, Error>;

    /// Whether the witness satisfies the circuit.
    ///
    /// # Errors
    /// The first failures, without values.
    fn check(&self, circuit: &CheckedCircuit, witness: &Witness) -> Result<(), Unsatisfied>;

    /// The failures of an unsatisfied witness with the names of the regions they stand in.
    fn diagnose(
        &self,
        circuit: &CheckedCircuit,
        annotations: &Annotations,
        witness: &Witness,
    ) -> Vec<Failure>;
}

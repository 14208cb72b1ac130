//! Downloading what is needed to verify a proof with no node at all.

use std::time::Duration;

use aureole_api::rest::{Circuit, Revocation, Task};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::{Client, Error};

/// A done task with everything that verifying its proof takes. Whoever verifies trusts none of
/// it: the key is rebuilt from the circuit's bytes.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The task, with its public inputs by name.
    pub task: Task,
    /// Its circuit, with digests and the order of the public inputs.
    pub circuit: Circuit,
    /// The circuit's canonical bytes; they have the circuit digest.
    pub circuit_bytes: Bytes,
    /// The proof; it has the digest that the task shows.
    pub proof: Bytes,
    /// That the circuit's key is revoked, and why: the proof is worth nothing then.
    pub revoked: Option<Revocation>,
}

// === impl Client ===

impl Client {
    /// Downloads a done task's bundle and checks the digests of what came.
    ///
    /// # Errors
    /// [`Error::NoProof`] when the task is not done, [`Error::Digest`] when bytes do not have the
    /// digest they were announced with; see [`Error`] for the rest.
    pub async fn bundle(&self, task: &str) -> Result<Bundle, Error> {
        let task = self.task(task, Duration::ZERO).await?;
        let (Some(proof), Some(circuit)) = (&task.proof, &task.circuit) else {
            return Err(Error::NoProof {
                task: task.id.clone(),
                state: task.state,
                problem: task.error.clone(),
            });
        };
        let (proof_digest, circuit) = (proof.digest.clone(), circuit.clone());
        let circuit = self.circuit(&circuit, Duration::ZERO).await?;
        let circuit_bytes = self.circuit_ir(&circuit.id).await?;
        let proof = self.proof(&task.id).await?;
        check("proof", &proof, &proof_digest)?;
        check(
            "circuit",
            &circuit_bytes,
            circuit.circuit_digest.as_deref().unwrap_or("none"),
        )?;
        let revoked = self.circuit_key(&circuit.id).await?.revoked;
        Ok(Bundle {
            task,
            circuit,
            circuit_bytes,
            proof,
            revoked,
        })
    }
}

fn check(what: &'static str, bytes: &[u8], expected: &str) -> Result<(), Error> {
    let found = hex::encode(Sha256::digest(bytes));
    if found == expected {
        return Ok(());
    }
    Err(Error::Digest {
        what,
        expected: expected.to_owned(),
        found,
    })
}

//! Proofs: bytes of finished tasks, and verdicts on anybody's.

use std::collections::BTreeMap;

use aureole_api::{Problem, codes, rest};
use aureole_coordinator::Verdict;
use aureole_gateway::{Blob, Caller, Verification};
use aureole_ir::{Field, FieldElement};
use aureole_ledger::{Digest, TaskId};
use bytes::Bytes;

use super::{Desk, storage};

/// Proofs are a few kilobytes; a circuit with a thousand columns stays below this.
const PROOF_BYTES_MAX: u64 = 1 << 20;

// === impl Desk ===

impl Desk {
    /// The proof of a finished task.
    pub(crate) async fn proof_of(&self, caller: &Caller, id: TaskId) -> Result<Blob, Problem> {
        let task = self.task_anywhere(caller, id).await?;
        match (task.state, task.error, task.proof) {
            (rest::TaskState::Done, _, Some(proof)) => {
                let digest: Digest = proof
                    .digest
                    .parse()
                    .map_err(|error| storage(&error, "a proof's digest does not read"))?;
                Ok(Blob {
                    digest,
                    bytes: self.proof_blob(&digest).await?,
                })
            }
            (rest::TaskState::Done, _, None) => Err(Problem::new(
                codes::task::NO_PROOF,
                format!("task {id} was no proof but work on a plugin or circuit"),
            )),
            (rest::TaskState::Failed, Some(problem), _) => Err(problem),
            (rest::TaskState::Cancelled, ..) => Err(Problem::new(
                codes::task::CANCELLED,
                format!("task {id} was cancelled"),
            )),
            (state, ..) => Err(Problem::new(
                codes::task::NOT_DONE,
                format!("task {id} is {state}; wait for it with GET /api/v1/tasks/{id}?wait=30s"),
            )),
        }
    }

    pub(super) async fn proof_blob(&self, digest: &Digest) -> Result<Bytes, Problem> {
        self.depot
            .get(digest, PROOF_BYTES_MAX)
            .await
            .map_err(|error| storage(&error, "the proof cannot be read"))
    }

    /// Whether a proof verifies under a circuit's key for exactly these public inputs.
    pub(crate) async fn verdict(
        &self,
        caller: &Caller,
        request: Verification,
    ) -> Result<rest::Verdict, Problem> {
        let record = self.circuit_record(caller, &request.circuit)?;
        let facts = self.ready_facts(caller, &request.circuit)?;
        let inputs = self.circuit_view(&record).await?.public_inputs;
        let flat = flat(&inputs, &request.public_inputs)?;
        let proof = request.proof;
        let revoked = self.revocation_of(&facts.key_digest);
        let expected = facts.proof_bytes as usize;
        if proof.len() != expected {
            return Ok(wrong_length(proof.len(), expected, revoked));
        }
        self.verifications
            .one(&caller.tenant, facts.circuit_digest, flat, proof)
            .await
            .map(|found| verdict(found, revoked))
    }
}

/// The verdict on a proof that cannot be one of the circuit.
pub(super) fn wrong_length(
    found: usize,
    expected: usize,
    revoked: Option<rest::Revocation>,
) -> rest::Verdict {
    let reason =
        format!("the proof has {found} bytes; proofs of this circuit have exactly {expected}");
    rest::Verdict {
        valid: false,
        reason: Some(reason),
        revoked,
    }
}

/// The verifier's verdict as it is shown: under a revoked key nothing is valid, whatever verifies.
pub(super) fn verdict(found: Verdict, revoked: Option<rest::Revocation>) -> rest::Verdict {
    let reason = match found {
        Verdict::Valid => revoked.as_ref().map(|revoked| {
            let reason = &revoked.reason;
            format!("the proof verifies, but its key is revoked: {reason}")
        }),
        Verdict::Invalid { reason } => Some(reason),
    };
    rest::Verdict {
        valid: reason.is_none(),
        reason,
        revoked,
    }
}

/// Public inputs in the circuit's order, 32 little-endian bytes each; every name, length and
/// element exactly right.
pub(super) fn flat(
    inputs: &[rest::PublicInput],
    given: &BTreeMap<String, Vec<[u8; 32]>>,
) -> Result<Vec<u8>, Problem> {
    if let Some(name) = given
        .keys()
        .find(|name| !inputs.iter().any(|input| input.name == **name))
    {
        let known: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        let detail = format!(
            "`{}` is no public input of the circuit; it has: {}",
            name.escape_debug(),
            known.join(", ")
        );
        return Err(Problem::new(codes::proof::PUBLIC_INPUTS_LENGTH, detail).at("/public_inputs"));
    }
    let mut flat = Vec::new();
    for input in inputs {
        let path = format!("/public_inputs/{}", input.name);
        let values = given.get(&input.name).map_or(&[][..], Vec::as_slice);
        if values.len() != input.rows as usize {
            let (name, count, rows) = (&input.name, values.len(), input.rows);
            let detail = format!("`{name}` has {count} elements, the circuit wants {rows}");
            return Err(Problem::new(codes::proof::PUBLIC_INPUTS_LENGTH, detail).at(path));
        }
        for big_endian in values {
            let mut element = FieldElement(*big_endian);
            element.0.reverse();
            if !element.is_canonical(Field::PallasBase) {
                let detail = "the value is not below the field's modulus";
                let code = codes::proof::PUBLIC_INPUTS_NON_CANONICAL;
                return Err(Problem::new(code, detail).at(&path));
            }
            flat.extend_from_slice(&element.0);
        }
    }
    Ok(flat)
}

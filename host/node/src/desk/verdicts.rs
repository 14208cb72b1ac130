//! Verdicts on many proofs of one circuit, which share the work.

use aureole_api::{Problem, rest};
use aureole_gateway::{BatchVerification, Caller};

use super::{
    Desk,
    proofs::{flat, verdict, wrong_length},
    storage,
};

// === impl Desk ===

impl Desk {
    /// Whether each proof verifies under the circuit's key for exactly its public inputs.
    pub(crate) async fn verdicts(
        &self,
        caller: &Caller,
        batch: BatchVerification,
    ) -> Result<Vec<rest::Verdict>, Problem> {
        let record = self.circuit_record(caller, &batch.circuit)?;
        let facts = self.ready_facts(caller, &batch.circuit)?;
        let inputs = self.circuit_view(&record).await?.public_inputs;
        let revoked = self.revocation_of(&facts.key_digest);
        let expected = facts.proof_bytes as usize;
        // A proof of another length is none of the circuit's: it never reaches the verifier.
        let mut verdicts = Vec::with_capacity(batch.claims.len());
        let mut claims = Vec::with_capacity(batch.claims.len());
        for (index, claim) in batch.claims.into_iter().enumerate() {
            let place = |problem: Problem| {
                let path = problem.path().unwrap_or_default().to_owned();
                problem.at(format!("/proofs/{index}{path}"))
            };
            let flat = flat(&inputs, &claim.public_inputs).map_err(place)?;
            let found = claim.proof.len();
            let is_known = found != expected;
            verdicts.push(is_known.then(|| wrong_length(found, expected, revoked.clone())));
            if found == expected {
                claims.push((flat, claim.proof));
            }
        }
        let found = self.verifier.verify_batch(facts.circuit_digest, &claims);
        let found = found
            .await
            .map_err(|error| storage(&error, "the verifier could not be asked"))?;
        let found = found.into_iter();
        let found = found.map(|found| verdict(found, revoked.clone()));
        Ok(merged(verdicts, found))
    }
}

/// The verifier's verdicts in the places that have none yet.
fn merged(
    known: Vec<Option<rest::Verdict>>,
    mut found: impl Iterator<Item = rest::Verdict>,
) -> Vec<rest::Verdict> {
    let places = known.into_iter();
    places
        .filter_map(|known| known.or_else(|| found.next()))
        .collect()
}

//! Verification in a child process that proves nothing: no proof is judged by its maker.

use async_trait::async_trait;
use aureole_coordinator::{CircuitKey, Verdict, Verifier, VerifyError};
use aureole_ledger::Digest;
use aureole_prover::CRATES;
use aureole_worker::Provers;

/// Verifies in child processes of its own.
#[derive(Debug)]
pub(crate) struct ChildVerifier {
    provers: Provers,
    build: String,
}

// === impl ChildVerifier ===

impl ChildVerifier {
    /// Takes children that no worker proves in.
    pub(crate) fn new(provers: Provers) -> Self {
        Self {
            provers,
            build: format!("aureole {}, {CRATES}", env!("CARGO_PKG_VERSION")),
        }
    }
}

impl ChildVerifier {
    /// Verifies many proofs of one circuit, each with its public inputs; they share the work.
    ///
    /// # Errors
    /// When the child gives no verdicts.
    pub(crate) async fn verify_batch(
        &self,
        circuit: Digest,
        claims: &[(Vec<u8>, Vec<u8>)],
    ) -> Result<Vec<Verdict>, VerifyError> {
        let claims: Vec<(&[u8], &[u8])> = claims
            .iter()
            .map(|(public_inputs, proof)| (public_inputs.as_slice(), proof.as_slice()))
            .collect();
        let verdicts = self.provers.verify_batch(&circuit, &claims).await;
        let verdicts = verdicts.map_err(|error| VerifyError {
            reason: error.to_string(),
        })?;
        Ok(verdicts.verdicts.into_iter().map(verdict).collect())
    }
}

fn verdict(verdict: aureole_prover::Verdict) -> Verdict {
    match verdict {
        aureole_prover::Verdict::Valid => Verdict::Valid,
        aureole_prover::Verdict::Invalid { reason } => Verdict::Invalid {
            reason: reason.to_string(),
        },
    }
}

#[async_trait]
impl Verifier for ChildVerifier {
    fn build(&self) -> &str {
        &self.build
    }

    async fn key(&self, circuit: Digest) -> Result<CircuitKey, VerifyError> {
        let failed = |reason: String| VerifyError { reason };
        let key = self
            .provers
            .verifying_key(&circuit)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let digest = key
            .key_digest
            .parse()
            .map_err(|_| failed("a key without digest".to_owned()))?;
        Ok(CircuitKey {
            digest,
            proof_bytes: key.proof_bytes,
        })
    }

    async fn verify(
        &self,
        circuit: Digest,
        public_inputs: Vec<u8>,
        proof: Vec<u8>,
    ) -> Result<Verdict, VerifyError> {
        match self.provers.verify(&circuit, &public_inputs, &proof).await {
            Ok((found, _)) => Ok(verdict(found)),
            Err(error) => Err(VerifyError {
                reason: error.to_string(),
            }),
        }
    }
}

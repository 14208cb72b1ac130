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
            Ok((aureole_prover::Verdict::Valid, _)) => Ok(Verdict::Valid),
            Ok((aureole_prover::Verdict::Invalid { reason }, _)) => Ok(Verdict::Invalid {
                reason: reason.to_string(),
            }),
            Err(error) => Err(VerifyError {
                reason: error.to_string(),
            }),
        }
    }
}

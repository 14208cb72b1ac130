//! The outcome of a verification.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether a proof holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It does.
    Valid,
    /// It does not.
    Invalid {
        /// Why.
        reason: Reason,
    },
}

/// Why a proof does not hold. Lengths and encodings are looked at before the proof is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Stock halo2 accepts bytes after a proof; we do not.
    ProofLength {
        /// Bytes of every proof of this circuit.
        expected: u64,
        /// Bytes given.
        found: u64,
    },
    /// Wrong number of public inputs, or one that is not canonical. Stock halo2 takes missing
    /// ones for zero and accepts trailing zeros; we do neither.
    PublicInputs {
        /// The refusal's stable code.
        code: String,
        /// What and where.
        detail: String,
    },
    /// The proof does not verify under the circuit's key with these public inputs.
    Proof,
}

// === impl Verdict ===

impl Verdict {
    /// Whether the proof holds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        *self == Self::Valid
    }
}

// === impl Reason ===

impl Reason {
    /// Stable code of the reason.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::ProofLength { .. } => "proof.length",
            Self::PublicInputs { code, .. } => code,
            Self::Proof => "proof.invalid",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProofLength { expected, found } => {
                write!(
                    f,
                    "proof has {found} bytes, proofs of this circuit have exactly {expected}"
                )
            }
            Self::PublicInputs { detail, .. } => f.write_str(detail),
            Self::Proof => f.write_str(
                "proof does not verify under this circuit's key with these public inputs",
            ),
        }
    }
}

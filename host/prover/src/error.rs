//! What can go wrong in this crate, short of a proof that does not verify.

use std::{any::Any, io, path::PathBuf};

use aureole_ir::Refusal;
use halo2_proofs::plonk;

use crate::limits::PANIC_MESSAGE_MAX;

/// A prover's failure. None of them shows a value of a witness.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The circuit names a proof system or a field that this prover is not for.
    #[error("circuit is for {found}, this prover is for {expected}")]
    Backend {
        /// What the circuit names.
        found: String,
        /// What this prover is for.
        expected: &'static str,
    },
    /// The processor lacks instructions that this program was built with.
    #[error(
        "this processor has no {missing} instructions, which the field arithmetic of this build uses: \
         take a machine with a processor since Intel Broadwell or AMD Zen, or build with \
         RUSTFLAGS=\"--cfg pasta_curves_noasm\""
    )]
    Processor {
        /// The instruction set.
        missing: &'static str,
    },
    /// Parameters were asked for a k outside the supported range.
    #[error("k is {k}, supported is {min} to {max}")]
    K {
        /// The k asked for.
        k: u32,
        /// The least k.
        min: u32,
        /// The largest k.
        max: u32,
    },
    /// The parameters' directory or file could not be used.
    #[error("could not {action} {}", path.display())]
    ParamsFile {
        /// What was being done.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Freshly generated parameters are not the known ones: the machine or the build computes
    /// wrongly, and no proof of it should be trusted.
    #[error("generated parameters for k = {k} have digest {found}, known is {expected}")]
    ParamsDigest {
        /// The k.
        k: u32,
        /// The digest that every correct machine gets.
        expected: String,
        /// The digest found here.
        found: String,
    },
    /// The witness or the public inputs do not fit the circuit.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A field element is not canonical; a checked circuit or witness has none.
    #[error("field element {index} of {what} is not below the modulus")]
    NonCanonical {
        /// Where the element stands.
        what: &'static str,
        /// Its index there.
        index: usize,
    },
    /// The circuit reads one column twice at rotations that are the same row of 2^k: halo2 makes
    /// keys for it, but cannot open such a proof.
    #[error(
        "{kind} column {column} is queried at rotation {rotation} and at another that is the same \
         row modulo {rows}"
    )]
    Rotation {
        /// Kind of the column.
        kind: &'static str,
        /// Index of the column.
        column: u32,
        /// The second of the two rotations.
        rotation: i32,
        /// The circuit's rows.
        rows: u64,
    },
    /// halo2 refused.
    #[error("halo2 refused during {during}")]
    Halo2 {
        /// The step.
        during: &'static str,
        /// halo2's own error.
        #[source]
        source: plonk::Error,
    },
    /// halo2 panicked.
    #[error("halo2 panicked during {during}: {message}")]
    Panicked {
        /// The step.
        during: &'static str,
        /// The panic's message, cut to a bounded length.
        message: String,
    },
    /// A finished proof has not the one length that proofs of its circuit have.
    #[error("proof has {found} bytes, proofs of this circuit have {expected}")]
    ProofLength {
        /// The exact length.
        expected: u64,
        /// The length found.
        found: u64,
    },
    /// A verifying key prints in a form this crate does not know: another halo2 was linked.
    #[error("verifying key's pinned form has no {field}")]
    Pinned {
        /// The field that is missing.
        field: &'static str,
    },
}

// === impl Error ===

impl Error {
    /// Stable name of the variant, for logs and problem documents.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Backend { .. } => "circuit.backend",
            Self::Processor { .. } => "prover.processor",
            Self::K { .. } => "circuit.k",
            Self::ParamsFile { .. } => "prover.params_file",
            Self::ParamsDigest { .. } => "prover.params_digest",
            Self::Refused(refusal) => refusal.code,
            Self::NonCanonical { .. } => "ir.field_non_canonical",
            Self::Rotation { .. } => "ir.rotation",
            Self::Halo2 { .. } => "prover.refused",
            Self::Panicked { .. } => "prover.panicked",
            Self::ProofLength { .. } => "proof.length",
            Self::Pinned { .. } => "prover.pinned",
        }
    }

    /// From a caught panic's payload.
    pub(crate) fn panicked(during: &'static str, payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&'static str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let message = text.chars().take(PANIC_MESSAGE_MAX).collect();
        Self::Panicked { during, message }
    }
}

//! What a client keeps of an accepted proof: everything to check it offline, in one JSON document.

use std::error::Error;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::{BUILD_BYTES_MAX, RECEIPT_BYTES_MAX};
use crate::{
    Checkpoint, CheckpointError, Digest, Hash, Head, Leaf, Log, LogError, ProofError, Salt,
    TileReader, TrustedKeys, VerifierKey, commit, verify_inclusion,
};

/// The only layout there is.
const FORMAT: &str = "aureole-receipt/1";

/// What of a receipt does not hold.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It is longer than a receipt can be.
    #[error("a receipt of {bytes} bytes, the limit is {max}")]
    TooLong {
        /// Its length.
        bytes: u64,
        /// The most allowed.
        max: u64,
    },
    /// It is not the JSON of a receipt.
    #[error("the document is no receipt")]
    Json(#[from] serde_json::Error),
    /// It was written in a layout that this build does not know.
    #[error("a receipt of the format {found:?}, this build reads {known:?}")]
    Format {
        /// Its format, cut to what a format can have.
        found: String,
        /// The format read here.
        known: &'static str,
    },
    /// The checkpoint is not to be believed.
    #[error("the checkpoint of the receipt does not hold")]
    Checkpoint(#[from] CheckpointError),
    /// The leaf is not in the log of the checkpoint.
    #[error("the leaf of the receipt is not in the log")]
    Inclusion(#[from] ProofError),
    /// Salt and public inputs are not those that the leaf commits to.
    #[error("the leaf commits to {promised}, the receipt opens {computed}")]
    PublicInputs {
        /// What the salt and the digest of the public inputs give.
        computed: Digest,
        /// What the leaf has.
        promised: Digest,
    },
    /// The build named is not the one that the leaf has.
    #[error("the leaf names the verifier {promised}, the receipt's {build:?} is {computed}")]
    Verifier {
        /// The name, cut to what a name can have.
        build: String,
        /// Its digest.
        computed: Digest,
        /// What the leaf has.
        promised: Digest,
    },
}

/// Why no receipt could be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MakeError<E: Error + 'static> {
    /// The checkpoint is not to be believed.
    #[error("the checkpoint does not hold")]
    Checkpoint(#[from] CheckpointError),
    /// The log could not be read.
    #[error("the log could not be read")]
    Log(#[from] LogError<E>),
    /// The tiles are not those of the checkpoint, or the leaf is not at that index: what would have
    /// been handed out does not verify.
    #[error("the proof of leaf {index} does not verify")]
    Proof {
        /// The index asked for.
        index: u64,
        /// What does not hold.
        #[source]
        source: ProofError,
    },
}

/// A receipt of one accepted proof, self-contained.
///
/// Nothing in it is to be believed before [`Receipt::verify`] has returned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The layout, `aureole-receipt/1`.
    pub format: String,
    /// Where the leaf stands in the log, from 0.
    pub index: u64,
    /// What was accepted.
    pub leaf: Leaf,
    /// What the leaf keeps to itself; left out of a receipt for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
    /// The inclusion proof, the leaf's sibling first.
    pub inclusion: Vec<Hash>,
    /// The signed checkpoint of a log of more than `index` leaves.
    pub checkpoint: String,
}

/// What a leaf only commits to, told to the task's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The salt of the commitment.
    pub salt: Salt,
    /// SHA-256 of the public inputs, 32 little-endian bytes each, in the circuit's order.
    pub public_inputs: Digest,
    /// The name of the build that verified the proof.
    pub verifier: String,
}

/// What a verified receipt shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Which log has the leaf.
    pub origin: String,
    /// The size and root that were signed.
    pub head: Head,
    /// The trusted keys that signed.
    pub signers: Vec<VerifierKey>,
}

// === impl Receipt ===

impl Receipt {
    /// Makes the receipt of a leaf from the log's tiles and a signed checkpoint, and verifies it.
    ///
    /// # Errors
    /// [`MakeError`]: a checkpoint or tiles that do not hold, or another leaf at that index.
    pub fn make<R: TileReader>(
        reader: &R,
        leaf: Leaf,
        index: u64,
        checkpoint: &str,
        trusted: &TrustedKeys,
    ) -> Result<Self, MakeError<R::Error>> {
        let opened = Checkpoint::open(checkpoint, trusted)?;
        let head = opened.checkpoint.head();
        let inclusion = Log::new(reader, head.size).inclusion(index)?;
        verify_inclusion(&leaf.hash(), index, &inclusion, head)
            .map_err(|source| MakeError::Proof { index, source })?;
        Ok(Self {
            format: FORMAT.to_owned(),
            index,
            leaf,
            opening: None,
            inclusion,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Adds what the leaf keeps to itself, for the task's owner.
    ///
    /// # Errors
    /// [`ReceiptError::PublicInputs`] or [`ReceiptError::Verifier`] if it is of another leaf.
    pub fn opened(mut self, opening: Opening) -> Result<Self, ReceiptError> {
        opening.check(&self.leaf)?;
        self.opening = Some(opening);
        Ok(self)
    }

    /// Checks, offline, that a log signed by those trusted has the leaf.
    ///
    /// # Errors
    /// [`ReceiptError`] names what does not hold.
    pub fn verify(&self, trusted: &TrustedKeys) -> Result<Verified, ReceiptError> {
        if self.format != FORMAT {
            return Err(ReceiptError::Format {
                found: self.format.chars().take(64).collect(),
                known: FORMAT,
            });
        }
        let opened = Checkpoint::open(&self.checkpoint, trusted)?;
        let head = *opened.checkpoint.head();
        verify_inclusion(&self.leaf.hash(), self.index, &self.inclusion, &head)?;
        if let Some(opening) = &self.opening {
            opening.check(&self.leaf)?;
        }
        Ok(Verified {
            origin: opened.checkpoint.origin().to_owned(),
            head,
            signers: opened.signers,
        })
    }

    /// Reads a receipt's JSON. It is well formed then, and no more.
    ///
    /// # Errors
    /// [`ReceiptError::TooLong`] or [`ReceiptError::Json`].
    pub fn from_json(json: &str) -> Result<Self, ReceiptError> {
        if json.len() > RECEIPT_BYTES_MAX {
            return Err(ReceiptError::TooLong {
                bytes: json.len() as u64,
                max: RECEIPT_BYTES_MAX as u64,
            });
        }
        Ok(serde_json::from_str(json)?)
    }

    /// Writes the receipt as JSON, indented for people.
    ///
    /// # Errors
    /// [`ReceiptError::Json`], if the writer of JSON fails.
    pub fn to_json(&self) -> Result<String, ReceiptError> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}

// === impl Opening ===

impl Opening {
    fn check(&self, leaf: &Leaf) -> Result<(), ReceiptError> {
        let computed = commit(&self.salt, &self.public_inputs);
        if computed != leaf.public_inputs {
            return Err(ReceiptError::PublicInputs {
                computed,
                promised: leaf.public_inputs,
            });
        }
        let computed = Digest::of(self.verifier.as_bytes());
        if computed != leaf.verifier {
            return Err(ReceiptError::Verifier {
                build: self.verifier.chars().take(BUILD_BYTES_MAX).collect(),
                computed,
                promised: leaf.verifier,
            });
        }
        Ok(())
    }
}

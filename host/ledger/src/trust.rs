//! Workers that brought proofs which do not verify.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// What is held against a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distrust {
    /// How many of its proofs did not verify.
    pub invalid_proofs: u32,
    /// Since when it gets no leases because of them, until an operator trusts it again.
    pub quarantined_at: Option<Millis>,
}

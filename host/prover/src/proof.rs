//! A finished proof and what it cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A proof. It was not verified: whoever stores or serves it does that, in another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The transcript that stock halo2's `verify_proof` reads.
    pub bytes: Vec<u8>,
    /// Where the time went.
    pub timings: Timings,
}

/// Times of one proof's parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// Parameters and keys: near zero when they are warm.
    pub keys: Duration,
    /// Witness checked for shape, parsed and denominators inverted.
    pub values: Duration,
    /// halo2's `create_proof`.
    pub prove: Duration,
}

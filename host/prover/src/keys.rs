//! Keys and what identifies them.

use std::{
    cell::Cell,
    fmt::{self, Write as _},
    sync::Arc,
};

use aureole_ir::{CheckedCircuit, CircuitDigest};
use halo2_proofs::{
    plonk::{ProvingKey, VerifyingKey, keygen_pk, keygen_vk},
    poly::commitment::Params,
};
use pasta_curves::{EqAffine, Fp, arithmetic::CurveAffine};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Error, KeyFacts, Vesta,
    estimate::Columns,
    proof_length::{Compiled, proof_bytes},
    rebuild::{Description, FixedLayout, Job, Rebuilt, run},
};

/// What a key digest is a digest of; a change of meaning changes this text.
pub const KEY_DOMAIN: &str = "aureole key v1";

/// The proof system, as named in a key's digest.
const BACKEND: &str = "halo2-ipa vesta blake2b challenge255";

/// The crates whose code decides what a key means and what verifies under it; a test compares them
/// with the lock file.
pub const CRATES: &str = "halo2_proofs 0.4.1, pasta_curves 0.6.1";

/// How much of a pinned key is kept to find its column count: it stands in the first 600 bytes.
const PINNED_HEAD_BYTES: usize = 2048;

/// A key's identity: SHA-256 over [`KEY_DOMAIN`], proof system, crate versions, k, the circuit's
/// digest and the pinned verifying key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyDigest(pub [u8; 32]);

/// A verifying key, its parameters and its facts.
pub struct VerifyingKeys {
    pub(crate) params: Arc<Params<EqAffine>>,
    pub(crate) key: VerifyingKey<EqAffine>,
    facts: KeyFacts,
}

/// A proving key, which holds its verifying key, with parameters and facts.
///
/// Over [`Vesta`], which is stock halo2's curve with faster formulas: the verifying key in it has the
/// same text as [`VerifyingKeys`]', and so the same digest.
pub struct ProvingKeys {
    pub(crate) params: Arc<Params<Vesta>>,
    pub(crate) key: ProvingKey<Vesta>,
    pub(crate) description: Arc<Description>,
    facts: KeyFacts,
}

/// Takes a pinned key's text without keeping more than its head.
struct PinnedSink {
    hasher: Sha256,
    head: String,
    bytes: u64,
}

// === impl VerifyingKeys ===

impl VerifyingKeys {
    /// Runs stock `keygen_vk` on the rebuilt circuit.
    pub(crate) fn new(
        circuit: &CheckedCircuit,
        params: Arc<Params<EqAffine>>,
    ) -> Result<Self, Error> {
        let description = Arc::new(Description::new(circuit.circuit())?);
        let key = verifying_key(circuit, &description, &params)?;
        let facts = facts(circuit, &key)?;
        Ok(Self { params, key, facts })
    }

    /// Identity of the key.
    #[must_use]
    pub fn key_digest(&self) -> KeyDigest {
        self.facts.key_digest
    }

    /// Length of every proof under this key.
    #[must_use]
    pub fn proof_bytes(&self) -> u64 {
        self.facts.proof_bytes
    }

    /// The facts of this key and of the proving key that belongs to it.
    #[must_use]
    pub fn facts(&self) -> KeyFacts {
        self.facts
    }

    /// halo2's own full description of the key: two keys are one if these texts are equal.
    #[must_use]
    pub fn pinned(&self) -> String {
        format!("{:?}", self.key.pinned())
    }

    /// The key itself, for code that calls halo2.
    #[must_use]
    pub fn halo2(&self) -> &VerifyingKey<EqAffine> {
        &self.key
    }

    /// The parameters it was made with.
    #[must_use]
    pub fn params(&self) -> &Params<EqAffine> {
        &self.params
    }
}

impl fmt::Debug for VerifyingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKeys")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

// === impl ProvingKeys ===

impl ProvingKeys {
    /// Runs stock `keygen_vk` and `keygen_pk` on the rebuilt circuit.
    pub(crate) fn new(circuit: &CheckedCircuit, params: Arc<Params<Vesta>>) -> Result<Self, Error> {
        let description = Arc::new(Description::new(circuit.circuit())?);
        let key = verifying_key(circuit, &description, &params)?;
        let facts = facts(circuit, &key)?;
        let job = layout_job(circuit, &description)?;
        let key = run("keygen_pk", job, || keygen_pk(&params, key, &Rebuilt))?;
        Ok(Self {
            params,
            key,
            description,
            facts,
        })
    }

    /// Identity of the key.
    #[must_use]
    pub fn key_digest(&self) -> KeyDigest {
        self.facts.key_digest
    }

    /// Length of every proof under this key.
    #[must_use]
    pub fn proof_bytes(&self) -> u64 {
        self.facts.proof_bytes
    }

    /// The facts of this key.
    #[must_use]
    pub fn facts(&self) -> KeyFacts {
        self.facts
    }

    /// Bytes the key takes in memory, parameters not included.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.facts.memory_bytes
    }

    /// The key itself, for code that calls halo2.
    #[must_use]
    pub fn halo2(&self) -> &ProvingKey<Vesta> {
        &self.key
    }

    /// The parameters it was made with.
    #[must_use]
    pub fn params(&self) -> &Params<Vesta> {
        &self.params
    }
}

impl fmt::Debug for ProvingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvingKeys")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// Runs stock `keygen_vk` on the rebuilt circuit.
fn verifying_key<C>(
    circuit: &CheckedCircuit,
    description: &Arc<Description>,
    params: &Params<C>,
) -> Result<VerifyingKey<C>, Error>
where
    C: CurveAffine<ScalarExt = Fp>,
{
    let job = layout_job(circuit, description)?;
    run("keygen_vk", job, || keygen_vk(params, &Rebuilt))
}

fn layout_job(circuit: &CheckedCircuit, description: &Arc<Description>) -> Result<Job, Error> {
    let layout = Some(FixedLayout::new(&circuit.circuit().layout)?);
    Ok(Job {
        description: Arc::clone(description),
        layout,
        advice: Cell::new(None),
    })
}

fn facts<C>(circuit: &CheckedCircuit, key: &VerifyingKey<C>) -> Result<KeyFacts, Error>
where
    C: CurveAffine<ScalarExt = Fp>,
{
    let mut sink = PinnedSink {
        hasher: Sha256::new(),
        head: String::new(),
        bytes: 0,
    };
    // The sink never refuses, so the only error would be of a `Debug` implementation in halo2.
    write!(sink, "{:?}", key.pinned()).map_err(|_| Error::Pinned { field: "text" })?;
    let fixed_columns = sink.number("num_fixed_columns: ")?;
    let pinned_bytes = sink.bytes;

    let k = circuit.circuit().k;
    let system = &circuit.circuit().constraint_system;
    let quotient: u64 = key
        .get_domain()
        .get_quotient_poly_degree()
        .try_into()
        .unwrap_or(u64::MAX);
    let degree = quotient.saturating_add(1);
    let permutation = system.permutation.len().try_into().unwrap_or(u64::MAX);
    let columns = Columns {
        k,
        degree,
        fixed: fixed_columns,
        permutation,
    };
    Ok(KeyFacts {
        key_digest: key_digest(k, circuit.digest(), sink.hasher.finalize().into()),
        proof_bytes: proof_bytes(
            system,
            Compiled {
                k,
                degree,
                fixed_columns,
            },
        )?,
        memory_bytes: columns.key_bytes().saturating_add(pinned_bytes),
        verifying_bytes: pinned_bytes,
    })
}

fn key_digest(k: u32, circuit: CircuitDigest, pinned: [u8; 32]) -> KeyDigest {
    let mut hasher = Sha256::new();
    for text in [KEY_DOMAIN, BACKEND, CRATES] {
        hasher.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        hasher.update(text);
    }
    hasher.update(k.to_le_bytes());
    hasher.update(circuit.0);
    hasher.update(pinned);
    KeyDigest(hasher.finalize().into())
}

// === impl PinnedSink ===

impl PinnedSink {
    /// The number after a label in the head.
    fn number(&self, label: &'static str) -> Result<u64, Error> {
        let after = self.head.split_once(label).map(|(_, after)| after);
        let digits = after.and_then(|after| after.split(|c: char| !c.is_ascii_digit()).next());
        digits
            .and_then(|digits| digits.parse().ok())
            .ok_or(Error::Pinned { field: label })
    }
}

impl fmt::Write for PinnedSink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.hasher.update(text);
        self.bytes = self
            .bytes
            .saturating_add(text.len().try_into().unwrap_or(u64::MAX));
        if self.head.len() < PINNED_HEAD_BYTES {
            self.head.push_str(text);
        }
        Ok(())
    }
}

// === impl KeyDigest ===

impl fmt::Display for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Sent between processes as its hex text.
impl Serialize for KeyDigest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyDigest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at the first broken fact")]
mod tests {
    use super::*;

    #[test]
    fn crates_named_in_the_key_digest_are_those_of_the_lock_file() {
        let lock = include_str!("../../../Cargo.lock");
        for named in CRATES.split(", ") {
            let (name, version) = named.split_once(' ').unwrap();
            let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
            assert!(lock.contains(&entry), "{named} is not in Cargo.lock");
        }
    }

    #[test]
    fn key_digest_depends_on_k_circuit_and_pinned_key() {
        let base = key_digest(5, CircuitDigest([1; 32]), [2; 32]);
        assert_ne!(base, key_digest(6, CircuitDigest([1; 32]), [2; 32]));
        assert_ne!(base, key_digest(5, CircuitDigest([3; 32]), [2; 32]));
        assert_ne!(base, key_digest(5, CircuitDigest([1; 32]), [3; 32]));
        assert_eq!(base.to_string().len(), 64);
    }

    #[test]
    fn a_pinned_text_without_the_column_count_is_an_error() {
        let mut sink = PinnedSink {
            hasher: Sha256::new(),
            head: String::new(),
            bytes: 0,
        };
        write!(sink, "PinnedVerificationKey {{ columns: 3 }}").unwrap();
        let error = sink.number("num_fixed_columns: ").unwrap_err();
        assert!(matches!(
            error,
            Error::Pinned {
                field: "num_fixed_columns: "
            }
        ));
    }
}

//! The halo2 backend: keys in memory, proofs out, verdicts.

use std::{
    cell::Cell,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use aureole_ir::{Annotations, CheckedCircuit, CircuitDigest, Witness};
use halo2_proofs::{
    plonk::{BatchVerifier, SingleVerifier, create_proof, verify_proof},
    transcript::{Blake2bRead, Blake2bWrite, Challenge255},
};
use pasta_curves::{EqAffine, Fp};
use rayon::ThreadPool;

use crate::{
    Backend, Error, Failure, KeyFacts, ParamsDir, Proof, ProvingKeys, Reason, Timings, Unsatisfied,
    Verdict, VerifyingKeys, Vesta,
    cache::KeyCache,
    check, diagnose,
    limits::BATCH_MAX,
    randomness::OsRandomness,
    rebuild::{Job, Rebuilt, guard, run},
    values,
};

/// Stock `halo2_proofs` with the inner product argument over Vesta.
///
/// It proves over [`Vesta`], whose formulas are faster, and verifies over `pasta_curves`' own
/// [`EqAffine`]: one group, one key, one proof.
///
/// Keys cannot be stored: they are rebuilt from the circuit and kept by digest, proving keys
/// within the given budget, verifying keys (a thousandth of their size) within a sixteenth more.
#[derive(Debug)]
pub struct Halo2Ipa {
    params: ParamsDir,
    verifying: KeyCache<VerifyingKeys>,
    proving: KeyCache<ProvingKeys>,
}

/// A witness as field elements: what remains of it once its bytes are wiped.
pub struct Assigned {
    advice: Vec<Vec<Fp>>,
    instance: Vec<Vec<Fp>>,
    took: Duration,
}

/// A proof whose lengths are right, on its way into halo2.
struct Item<'a> {
    index: usize,
    instance: Vec<Vec<Fp>>,
    proof: &'a [u8],
}

// === impl Halo2Ipa ===

impl Halo2Ipa {
    /// A backend with empty caches.
    #[must_use]
    pub fn new(params: ParamsDir, key_cache_bytes: u64) -> Self {
        Self {
            params,
            verifying: KeyCache::new(key_cache_bytes / 16),
            proving: KeyCache::new(key_cache_bytes),
        }
    }

    /// The parameters' directory.
    #[must_use]
    pub fn params(&self) -> &ParamsDir {
        &self.params
    }

    /// The circuit's verifying key, made in 0.05 to 1 s for k = 10 to 14 if it is not warm.
    ///
    /// # Errors
    /// Any of [`Error`]'s that concern parameters and keys.
    pub fn verifying(&self, circuit: &CheckedCircuit) -> Result<Arc<VerifyingKeys>, Error> {
        let digest = circuit.digest();
        if let Some(keys) = self.verifying.get(&digest) {
            return Ok(keys);
        }
        let params = self.params.get(circuit.circuit().k)?;
        let keys = VerifyingKeys::new(circuit, params)?;
        let bytes = keys.facts().verifying_bytes;
        Ok(self.verifying.put(digest, keys, bytes))
    }

    /// The circuit's proving key, about twice the verifying key's time if it is not warm.
    ///
    /// # Errors
    /// As [`Halo2Ipa::verifying`].
    pub fn proving(&self, circuit: &CheckedCircuit) -> Result<Arc<ProvingKeys>, Error> {
        let digest = circuit.digest();
        if let Some(keys) = self.proving.get(&digest) {
            return Ok(keys);
        }
        let params = self.params.proving(circuit.circuit().k)?;
        let keys = ProvingKeys::new(circuit, params)?;
        let bytes = keys.memory_bytes();
        Ok(self.proving.put(digest, keys, bytes))
    }

    /// Circuits whose proving keys are warm.
    #[must_use]
    pub fn warm(&self) -> Vec<CircuitDigest> {
        self.proving.digests()
    }

    /// Bytes of the warm proving keys.
    #[must_use]
    pub fn warm_bytes(&self) -> u64 {
        self.proving.bytes()
    }

    /// Proves on rayon's global threads; see [`Halo2Ipa::prove_in`].
    ///
    /// # Errors
    /// As [`Halo2Ipa::prove_in`].
    pub fn prove(&self, circuit: &CheckedCircuit, witness: &Witness) -> Result<Proof, Error> {
        self.prove_in(circuit, witness, None)
    }

    /// Proves on the given threads. Call [`check`](crate::check()) before: halo2 makes a proof of
    /// an unsatisfied witness as well, and it is worthless. Verify afterwards, elsewhere.
    ///
    /// # Errors
    /// [`Error::Refused`] for a witness of another shape, [`Error::Halo2`] for one that fails a
    /// lookup, and those of [`Halo2Ipa::proving`].
    pub fn prove_in(
        &self,
        circuit: &CheckedCircuit,
        witness: &Witness,
        pool: Option<&ThreadPool>,
    ) -> Result<Proof, Error> {
        self.prove_assigned(circuit, assign(circuit, witness, pool)?, pool)
    }

    /// As [`Halo2Ipa::prove_in`], of a witness that [`assign`] made: the caller need not keep its bytes
    /// through the proof.
    ///
    /// # Errors
    /// As [`Halo2Ipa::prove_in`].
    pub fn prove_assigned(
        &self,
        circuit: &CheckedCircuit,
        witness: Assigned,
        pool: Option<&ThreadPool>,
    ) -> Result<Proof, Error> {
        // The scope of `run` is opened inside, on the pool's own thread.
        within(pool, || self.prove_here(circuit, witness))
    }

    fn prove_here(&self, circuit: &CheckedCircuit, witness: Assigned) -> Result<Proof, Error> {
        let start = Instant::now();
        let keys = self.proving(circuit)?;
        let after_keys = Instant::now();

        let Assigned {
            advice,
            instance,
            took,
        } = witness;
        let columns: Vec<&[Fp]> = instance.iter().map(Vec::as_slice).collect();
        let job = Job {
            description: Arc::clone(&keys.description),
            layout: None,
            advice: Cell::new(Some(advice)),
        };

        let mut transcript = Blake2bWrite::<_, Vesta, Challenge255<_>>::init(Vec::new());
        run("create_proof", job, || {
            create_proof(
                &keys.params,
                &keys.key,
                &[Rebuilt],
                &[&columns],
                OsRandomness::new(),
                &mut transcript,
            )
        })?;
        let bytes = transcript.finalize();
        let found = bytes.len().try_into().unwrap_or(u64::MAX);
        if found != keys.proof_bytes() {
            return Err(Error::ProofLength {
                expected: keys.proof_bytes(),
                found,
            });
        }
        let timings = Timings {
            keys: after_keys.duration_since(start),
            values: took,
            prove: after_keys.elapsed(),
        };
        Ok(Proof { bytes, timings })
    }

    /// Verifies one proof against flat public inputs, 32 bytes each.
    ///
    /// # Errors
    /// As [`Halo2Ipa::verifying`]; a bad proof is a verdict, not an error.
    pub fn verify(
        &self,
        circuit: &CheckedCircuit,
        public_inputs: &[u8],
        proof: &[u8],
    ) -> Result<Verdict, Error> {
        let keys = self.verifying(circuit)?;
        match item(circuit, &keys, 0, public_inputs, proof)? {
            Ok(item) => verify_one(&keys, &item),
            Err(reason) => Ok(Verdict::Invalid { reason }),
        }
    }

    /// Verifies many proofs of one circuit, sharing the one large multiexponentiation; when a
    /// batch fails, halves of it are tried until the bad ones are found.
    ///
    /// # Errors
    /// As [`Halo2Ipa::verify`].
    pub fn verify_batch(
        &self,
        circuit: &CheckedCircuit,
        proofs: &[(&[u8], &[u8])],
    ) -> Result<Vec<Verdict>, Error> {
        let keys = self.verifying(circuit)?;
        let mut verdicts = vec![Verdict::Valid; proofs.len()];
        let mut items = Vec::with_capacity(proofs.len());
        for (index, (public_inputs, proof)) in proofs.iter().enumerate() {
            match item(circuit, &keys, index, public_inputs, proof)? {
                Ok(item) => items.push(item),
                Err(reason) => set(&mut verdicts, index, Verdict::Invalid { reason }),
            }
        }
        let mut pending: Vec<&[Item<'_>]> = items.chunks(BATCH_MAX).collect();
        while let Some(batch) = pending.pop() {
            if let [item] = batch {
                set(&mut verdicts, item.index, verify_one(&keys, item)?);
            } else if !all_valid(&keys, batch)? {
                let (left, right) = batch.split_at(batch.len() / 2);
                pending.extend([left, right]);
            }
        }
        Ok(verdicts)
    }
}

impl fmt::Debug for Assigned {
    /// Shows no value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assigned")
            .field("columns", &self.advice.len())
            .finish_non_exhaustive()
    }
}

impl Backend for Halo2Ipa {
    fn keygen(&self, circuit: &CheckedCircuit) -> Result<KeyFacts, Error> {
        Ok(self.proving(circuit)?.facts())
    }

    fn prove_in(
        &self,
        circuit: &CheckedCircuit,
        witness: &Witness,
        pool: Option<&ThreadPool>,
    ) -> Result<Proof, Error> {
        Self::prove_in(self, circuit, witness, pool)
    }

    fn verify(
        &self,
        circuit: &CheckedCircuit,
        public_inputs: &[u8],
        proof: &[u8],
    ) -> Result<Verdict, Error> {
        Self::verify(self, circuit, public_inputs, proof)
    }

    fn verify_batch(
        &self,
        circuit: &CheckedCircuit,
        proofs: &[(&[u8], &[u8])],
    ) -> Result<Vec<Verdict>, Error> {
        Self::verify_batch(self, circuit, proofs)
    }

    fn check(&self, circuit: &CheckedCircuit, witness: &Witness) -> Result<(), Unsatisfied> {
        check(circuit, witness)
    }

    fn diagnose(
        &self,
        circuit: &CheckedCircuit,
        annotations: &Annotations,
        witness: &Witness,
    ) -> Vec<Failure> {
        diagnose(circuit, annotations, witness)
    }
}

/// Looks at a witness's shape and turns it into field elements, on the given threads or on rayon's
/// global ones.
///
/// # Errors
/// [`Error::Refused`] for a witness of another shape.
pub fn assign(
    circuit: &CheckedCircuit,
    witness: &Witness,
    pool: Option<&ThreadPool>,
) -> Result<Assigned, Error> {
    let start = Instant::now();
    circuit.check_witness(witness)?;
    Ok(Assigned {
        advice: within(pool, || values::advice(witness))?,
        instance: values::instance(circuit.circuit(), &witness.public_inputs)?,
        took: start.elapsed(),
    })
}

/// Works on a pool's threads, or where the caller is.
fn within<T: Send>(pool: Option<&ThreadPool>, work: impl FnOnce() -> T + Send) -> T {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Looks at lengths and encodings, before anything is computed.
fn item<'a>(
    circuit: &CheckedCircuit,
    keys: &VerifyingKeys,
    index: usize,
    public_inputs: &[u8],
    proof: &'a [u8],
) -> Result<Result<Item<'a>, Reason>, Error> {
    let (expected, found) = (
        keys.proof_bytes(),
        proof.len().try_into().unwrap_or(u64::MAX),
    );
    if found != expected {
        return Ok(Err(Reason::ProofLength { expected, found }));
    }
    if let Err(refusal) = circuit.check_public_inputs(public_inputs) {
        let detail = refusal.to_string();
        return Ok(Err(Reason::PublicInputs {
            code: refusal.code.to_owned(),
            detail,
        }));
    }
    let instance = values::instance(circuit.circuit(), public_inputs)?;
    Ok(Ok(Item {
        index,
        instance,
        proof,
    }))
}

fn verify_one(keys: &VerifyingKeys, item: &Item<'_>) -> Result<Verdict, Error> {
    let columns: Vec<&[Fp]> = item.instance.iter().map(Vec::as_slice).collect();
    let result = guard("verify_proof", || {
        let strategy = SingleVerifier::new(&keys.params);
        let mut transcript = Blake2bRead::<_, EqAffine, Challenge255<_>>::init(item.proof);
        verify_proof(
            &keys.params,
            &keys.key,
            strategy,
            &[&columns],
            &mut transcript,
        )
    })?;
    Ok(match result {
        Ok(()) => Verdict::Valid,
        Err(error) => {
            tracing::debug!(%error, "a proof does not verify");
            Verdict::Invalid {
                reason: Reason::Proof,
            }
        }
    })
}

fn all_valid(keys: &VerifyingKeys, batch: &[Item<'_>]) -> Result<bool, Error> {
    let mut verifier = BatchVerifier::<EqAffine>::new();
    for item in batch {
        verifier.add_proof(vec![item.instance.clone()], item.proof.to_vec());
    }
    guard("batch verification", || {
        verifier.finalize(&keys.params, &keys.key)
    })
}

fn set(verdicts: &mut [Verdict], index: usize, verdict: Verdict) {
    if let Some(slot) = verdicts.get_mut(index) {
        *slot = verdict;
    }
}

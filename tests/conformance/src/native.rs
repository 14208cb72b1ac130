//! Stock halo2: nothing here is ours but the files that hold its parameters.

use std::sync::{Arc, OnceLock};

use anyhow::anyhow;
use aureole_prover::{Halo2Ipa, ParamsDir};
use getrandom::{SysRng, rand_core::UnwrapErr};
use halo2_proofs::{
    plonk::{
        Circuit, ProvingKey, SingleVerifier, create_proof, keygen_pk, keygen_vk, verify_proof,
    },
    poly::commitment::Params,
    transcript::{Blake2bRead, Blake2bWrite, Challenge255},
};
use pasta_curves::{EqAffine, Fp};

use crate::place::params_dir;

/// Proving keys kept warm.
const KEY_CACHE_BYTES: u64 = 256 << 20;

/// The platform's prover, one for a process.
///
/// # Errors
/// When the folder of parameters cannot be opened.
pub fn backend() -> anyhow::Result<&'static Halo2Ipa> {
    static BACKEND: OnceLock<Result<Halo2Ipa, String>> = OnceLock::new();
    let open = || -> anyhow::Result<Halo2Ipa> {
        Ok(Halo2Ipa::new(
            ParamsDir::open(params_dir()?)?,
            KEY_CACHE_BYTES,
        ))
    };
    let backend = BACKEND.get_or_init(|| open().map_err(|error| format!("{error:#}")));
    backend.as_ref().map_err(|error| anyhow!(error.clone()))
}

/// The keys that stock halo2 makes of an author's circuit.
pub struct Native {
    params: Arc<Params<EqAffine>>,
    key: ProvingKey<EqAffine>,
}

// === impl Native ===

impl Native {
    /// Makes both keys for 2^k rows.
    ///
    /// # Errors
    /// When halo2 refuses.
    pub fn new<C: Circuit<Fp>>(circuit: &C, k: u32) -> anyhow::Result<Self> {
        let params = backend()?.params().get(k)?;
        let key = keygen_vk(&params, circuit)?;
        let key = keygen_pk(&params, key, circuit)?;
        Ok(Self { params, key })
    }

    /// halo2's own text of the verifying key alone; equal texts are equal keys.
    ///
    /// # Errors
    /// When halo2 refuses.
    pub fn pinned<C: Circuit<Fp>>(circuit: &C, k: u32) -> anyhow::Result<String> {
        let params = backend()?.params().get(k)?;
        let key = keygen_vk::<EqAffine, C>(&params, circuit)?;
        Ok(format!("{:?}", key.pinned()))
    }

    /// Proves with stock `create_proof`.
    ///
    /// # Errors
    /// When halo2 refuses.
    pub fn prove<C: Circuit<Fp>>(
        &self,
        circuit: C,
        instance: &[Vec<Fp>],
    ) -> anyhow::Result<Vec<u8>> {
        let columns: Vec<&[Fp]> = instance.iter().map(Vec::as_slice).collect();
        let mut transcript = Blake2bWrite::<_, EqAffine, Challenge255<_>>::init(Vec::new());
        let (circuits, rng) = ([circuit], UnwrapErr(SysRng));
        create_proof(
            &self.params,
            &self.key,
            &circuits,
            &[&columns],
            rng,
            &mut transcript,
        )?;
        Ok(transcript.finalize())
    }

    /// Whether stock `verify_proof` takes it.
    #[must_use]
    pub fn verifies(&self, instance: &[Vec<Fp>], proof: &[u8]) -> bool {
        let columns: Vec<&[Fp]> = instance.iter().map(Vec::as_slice).collect();
        let strategy = SingleVerifier::new(&self.params);
        let mut transcript = Blake2bRead::<_, EqAffine, Challenge255<_>>::init(proof);
        let key = self.key.get_vk();
        verify_proof(&self.params, key, strategy, &[&columns], &mut transcript).is_ok()
    }
}

impl std::fmt::Debug for Native {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Native").finish_non_exhaustive()
    }
}

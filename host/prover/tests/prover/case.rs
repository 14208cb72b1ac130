//! A circuit under test, in its author's form and as the platform has it.

use std::sync::OnceLock;

use aureole_ir::{CheckedCircuit, Limits, PublicInput, Witness};
use aureole_prover::{Halo2Ipa, ParamsDir};
use aureole_sdk::{K, record};
use getrandom::{SysRng, rand_core::UnwrapErr};
use halo2_proofs::{
    plonk::{
        Circuit, ProvingKey, SingleVerifier, VerifyingKey, create_proof, keygen_pk, keygen_vk,
        verify_proof,
    },
    poly::commitment::Params,
    transcript::{Blake2bRead, Blake2bWrite, Challenge255},
};
use pasta_curves::{EqAffine, Fp};

/// An author's circuit.
pub trait Case {
    type Circuit: Circuit<Fp>;

    fn k() -> K {
        K::Auto
    }

    fn public_inputs() -> Vec<PublicInput>;

    /// Without a witness.
    fn empty() -> Self::Circuit;

    /// With a satisfying witness, and the instance columns.
    fn filled() -> (Self::Circuit, Vec<Vec<Fp>>);
}

/// Stock halo2 on the author's own circuit.
pub struct Native {
    pub params: Params<EqAffine>,
    pub key: ProvingKey<EqAffine>,
}

/// One backend for all tests. Its parameters stay in the build's directory between runs.
pub fn backend() -> &'static Halo2Ipa {
    static BACKEND: OnceLock<Halo2Ipa> = OnceLock::new();
    BACKEND.get_or_init(|| Halo2Ipa::new(params_dir(), 1 << 30))
}

pub fn params_dir() -> ParamsDir {
    ParamsDir::open(concat!(env!("CARGO_TARGET_TMPDIR"), "/prover-params")).unwrap()
}

/// The circuit as a plugin would record it, checked.
pub fn recorded<C: Case>() -> CheckedCircuit {
    let circuit = record::circuit(&C::empty(), C::k(), C::public_inputs()).unwrap();
    circuit.check(&Limits::default()).unwrap()
}

/// The satisfying witness as a plugin would record it.
pub fn witness<C: Case>(circuit: &CheckedCircuit) -> Witness {
    let (filled, instance) = C::filled();
    record::witness(&filled, circuit.circuit(), &instance).unwrap()
}

/// One named run of instance cells.
pub fn public_input(name: &str, column: u32, rows: u32) -> PublicInput {
    PublicInput {
        name: name.to_owned(),
        column,
        rows,
    }
}

// === impl Native ===

impl Native {
    pub fn new<C: Case>(k: u32) -> Self {
        let params = Params::clone(&params_dir().get(k).unwrap());
        let circuit = C::empty();
        let key = keygen_vk(&params, &circuit).unwrap();
        let key = keygen_pk(&params, key, &circuit).unwrap();
        Self { params, key }
    }

    pub fn verifying(&self) -> &VerifyingKey<EqAffine> {
        self.key.get_vk()
    }

    pub fn prove<C: Case>(&self) -> Vec<u8> {
        let (circuit, instance) = C::filled();
        let columns: Vec<&[Fp]> = instance.iter().map(Vec::as_slice).collect();
        let mut transcript = Blake2bWrite::<_, EqAffine, Challenge255<_>>::init(Vec::new());
        let rng = UnwrapErr(SysRng);
        create_proof(
            &self.params,
            &self.key,
            &[circuit],
            &[&columns],
            rng,
            &mut transcript,
        )
        .unwrap();
        transcript.finalize()
    }

    pub fn verifies(&self, instance: &[Vec<Fp>], proof: &[u8]) -> bool {
        let columns: Vec<&[Fp]> = instance.iter().map(Vec::as_slice).collect();
        let strategy = SingleVerifier::new(&self.params);
        let mut transcript = Blake2bRead::<_, EqAffine, Challenge255<_>>::init(proof);
        verify_proof(
            &self.params,
            self.verifying(),
            strategy,
            &[&columns],
            &mut transcript,
        )
        .is_ok()
    }
}

//! Stock halo2 on an author's own circuit: what the platform's keys and proofs are compared with.
//!
//! Nothing of the platform's rebuilding is used here, only its public parameters, which are those
//! of `Params::new`.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use aureole_client::rest::PublicInputs;
use aureole_ir::{Circuit, FieldElement};
use aureole_sdk::{Plugin, PublicInput};
use ff::PrimeField as _;
use getrandom::{SysRng, rand_core::UnwrapErr};
use halo2_proofs::{
    plonk::{ProvingKey, SingleVerifier, create_proof, keygen_pk, keygen_vk, verify_proof},
    poly::commitment::Params,
    transcript::{Blake2bRead, Blake2bWrite, Challenge255},
};
use pasta_curves::{EqAffine, Fp};
use serde_json::Value;

use crate::place::params;

/// Public inputs, column by column.
pub type Instance = Vec<Vec<Fp>>;

/// The keys of a plugin's circuit, made by stock halo2 from the author's code.
pub struct Native<P: Plugin> {
    circuit_params: P::Params,
    params: Arc<Params<EqAffine>>,
    key: ProvingKey<EqAffine>,
}

impl<P: Plugin> std::fmt::Debug for Native<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Native")
            .field("plugin", &P::NAME)
            .finish_non_exhaustive()
    }
}

// === impl Native ===

impl<P: Plugin> Native<P> {
    /// Makes the keys for the circuit with these parameters, of 2^k rows.
    ///
    /// # Errors
    /// When the parameters do not read, or halo2 refuses.
    pub fn new(circuit_params: &Value, k: u32) -> anyhow::Result<Self> {
        Self::with(circuit_params, params(k)?)
    }

    /// As [`Self::new`], with public parameters that the caller has.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(circuit_params: &Value, params: Arc<Params<EqAffine>>) -> anyhow::Result<Self> {
        let circuit_params: P::Params = serde_json::from_value(circuit_params.clone())?;
        let circuit = P::shape(&circuit_params);
        let key = keygen_vk(&params, &circuit)?;
        let key = keygen_pk(&params, key, &circuit)?;
        Ok(Self {
            circuit_params,
            params,
            key,
        })
    }

    /// halo2's own text of the verifying key: equal texts are equal keys.
    pub fn pinned(&self) -> String {
        format!("{:?}", self.key.get_vk().pinned())
    }

    /// Reads an input: the circuit with its witness, and its public inputs.
    ///
    /// # Errors
    /// When the author's code refuses the input.
    pub fn assign(&self, input: &Value) -> anyhow::Result<(P::Circuit, Instance)> {
        let input: P::Input = serde_json::from_value(input.clone())?;
        let (circuit, values) = P::assign(&self.circuit_params, input)?;
        let instance = columns(&P::public_inputs(&self.circuit_params), values)?;
        Ok((circuit, instance))
    }

    /// Proves with stock `create_proof`.
    ///
    /// # Errors
    /// When halo2 refuses.
    pub fn prove(&self, circuit: P::Circuit, instance: &Instance) -> anyhow::Result<Vec<u8>> {
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
        )?;
        Ok(transcript.finalize())
    }

    /// Whether stock `verify_proof` takes a proof under the author's own key.
    pub fn verifies(&self, instance: &Instance, proof: &[u8]) -> bool {
        let columns: Vec<&[Fp]> = instance.iter().map(Vec::as_slice).collect();
        let strategy = SingleVerifier::new(&self.params);
        let mut transcript = Blake2bRead::<_, EqAffine, Challenge255<_>>::init(proof);
        verify_proof(
            &self.params,
            self.key.get_vk(),
            strategy,
            &[&columns],
            &mut transcript,
        )
        .is_ok()
    }

    /// Public inputs as a task shows them, in the columns of this circuit.
    ///
    /// # Errors
    /// When a name is missing or a value is no field element.
    pub fn instance(&self, shown: &PublicInputs) -> anyhow::Result<Instance> {
        let declared = P::public_inputs(&self.circuit_params);
        ensure!(
            shown.len() == declared.len(),
            "the task shows {:?}",
            shown.keys()
        );
        let mut values = Vec::new();
        for input in &declared {
            let elements = shown
                .get(&input.name)
                .context("a public input is missing")?;
            for text in elements.texts() {
                let element = FieldElement::from_hex(text).context("no 0x and 64 digits")?;
                let value = Option::from(Fp::from_repr(element.0));
                values.push(value.context("a public input is not canonical")?);
            }
        }
        columns(&declared, values)
    }

    /// The circuit as its author's code records it outside a sandbox.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub fn recorded(circuit_params: &Value) -> anyhow::Result<Circuit> {
        Ok(aureole_sdk::native::circuit::<P>(
            &circuit_params.to_string(),
        )?)
    }
}

/// Deals values out to columns, in the order of the public inputs.
fn columns(declared: &[PublicInput], values: Vec<Fp>) -> anyhow::Result<Instance> {
    let count = declared
        .iter()
        .map(|input| input.column + 1)
        .max()
        .unwrap_or(0);
    let mut columns = vec![Vec::new(); usize::try_from(count)?];
    let mut values = values.into_iter();
    for input in declared {
        let column = columns
            .get_mut(usize::try_from(input.column)?)
            .context("no such column")?;
        let before = column.len();
        let rows = usize::try_from(input.rows)?;
        column.extend(values.by_ref().take(rows));
        ensure!(
            column.len() == before + rows,
            "too few values for {}",
            input.name
        );
    }
    ensure!(values.next().is_none(), "more values than public inputs");
    Ok(columns)
}

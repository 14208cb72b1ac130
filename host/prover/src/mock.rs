//! halo2's own mock prover on the rebuilt circuit, the second opinion on [`check`](crate::check()).

use std::{cell::Cell, sync::Arc};

use aureole_ir::{CheckedCircuit, Witness};
use halo2_proofs::dev::{MockProver, VerifyFailure};

use crate::{
    Error,
    rebuild::{Description, FixedLayout, Job, Rebuilt, guard, run},
    values,
};

/// Runs `MockProver` on the circuit with the witness.
///
/// For tests and for authors at their own machine: the list has no bound, takes minutes for large
/// circuits, and **shows values**. Everything stands in one region, so halo2's complaints about
/// unassigned cells mean nothing here and are left out. Gates have no names.
///
/// # Errors
/// [`Error::Refused`] for a witness of another shape, and halo2's own errors and panics.
pub fn mock(circuit: &CheckedCircuit, witness: &Witness) -> Result<Vec<VerifyFailure>, Error> {
    circuit.check_witness(witness)?;
    let job = Job {
        description: Arc::new(Description::new(circuit.circuit())?),
        layout: Some(FixedLayout::new(&circuit.circuit().layout)?),
        advice: Cell::new(Some(values::advice(witness)?)),
    };
    let instance = values::instance(circuit.circuit(), &witness.public_inputs)?;
    let k = circuit.circuit().k;
    let prover = run("the mock prover", job, || {
        MockProver::run(k, &Rebuilt, instance)
    })?;
    let mut failures = match guard("the mock prover", || prover.verify())? {
        Ok(()) => Vec::new(),
        Err(failures) => failures,
    };
    failures.retain(|failure| {
        let unassigned = matches!(
            failure,
            VerifyFailure::CellNotAssigned { .. } | VerifyFailure::InstanceCellNotAssigned { .. }
        );
        !unassigned
    });
    Ok(failures)
}

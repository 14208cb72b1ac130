//! Every fixture through its component in the real sandbox, against stock halo2 on the same code:
//! one key byte for byte, one witness cell by cell, and proofs that pass both ways.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests state facts; a broken one should stop right there"
)]

use aureole_circuits::{Dice, Fixture};
use aureole_conformance::{Native, backend, fixtures, witness};
use aureole_ir::{CheckedCircuit, Limits, Witness};
use aureole_prover::{Reason, Verdict, check};
use ff::{Field as _, PrimeField as _};
use pasta_curves::Fp;

/// What witnesses are drawn from.
const SEED: u64 = 20_250_601;

/// A fixture as the component records it, and its witness.
struct Recorded<F: Fixture> {
    circuit: CheckedCircuit,
    witness: Witness,
    filled: F::Circuit,
    instance: Vec<Vec<Fp>>,
}

impl<F: Fixture> Recorded<F> {
    fn new() -> Self {
        let params = format!(r#"{{"circuit":"{}"}}"#, F::NAME);
        let input = format!(r#"{{"seed":{SEED}}}"#);
        let plugin = fixtures().unwrap();
        let circuit = plugin.circuit(&params).unwrap().value;
        let limits = Limits {
            k_max: 15,
            ..Limits::default()
        };
        let circuit = circuit.check(&limits).unwrap();
        let witness = plugin.witness(&params, &input).unwrap().value;
        circuit.check_witness(&witness).unwrap();
        let (filled, values) = F::filled(&mut Dice::new(SEED));
        let instance = columns(&circuit, &values);
        Self {
            circuit,
            witness,
            filled,
            instance,
        }
    }

    fn k(&self) -> u32 {
        self.circuit.circuit().k
    }

    fn verdict(&self, public_inputs: &[u8], proof: &[u8]) -> Verdict {
        backend()
            .unwrap()
            .verify(&self.circuit, public_inputs, proof)
            .unwrap()
    }
}

/// Public values in their columns.
fn columns(circuit: &CheckedCircuit, values: &[Fp]) -> Vec<Vec<Fp>> {
    let circuit = circuit.circuit();
    let mut columns = vec![Vec::new(); circuit.constraint_system.instance_columns as usize];
    let mut values = values.iter().copied();
    for input in &circuit.public_inputs {
        columns[input.column as usize].extend(values.by_ref().take(input.rows as usize));
    }
    assert_eq!(values.next(), None);
    columns
}

fn key_and_witness_are_those_of_stock_halo2<F: Fixture>() {
    let recorded = Recorded::<F>::new();
    let ours = backend().unwrap().verifying(&recorded.circuit).unwrap();
    let stock = Native::pinned(&F::empty(), recorded.k()).unwrap();
    let stale = "is the component of this checkout? `cargo xtask plugins` builds it";
    assert!(
        ours.pinned() == stock,
        "{}: the keys differ; {stale}",
        F::NAME
    );

    let circuit = recorded.circuit.circuit();
    let shape = &circuit.constraint_system;
    let expected = witness(&recorded.filled, shape, circuit.k, &recorded.instance).unwrap();
    let found = cells(&recorded.witness, 1 << circuit.k);
    assert_eq!(found.len(), expected.len());
    for (column, (found, expected)) in found.iter().zip(&expected).enumerate() {
        for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert_eq!(
                found,
                expected,
                "{}: advice column {column}, row {row}",
                F::NAME
            );
        }
    }
    let public: Vec<u8> = F::filled(&mut Dice::new(SEED))
        .1
        .iter()
        .flat_map(Fp::to_repr)
        .collect();
    assert_eq!(recorded.witness.public_inputs, public);
    check(&recorded.circuit, &recorded.witness).unwrap();
}

/// A witness's columns, fractions divided out, one by one.
fn cells(witness: &Witness, rows: usize) -> Vec<Vec<Fp>> {
    let mut values = witness.advice_values.as_chunks::<32>().0.iter();
    let value = |bytes: &[u8; 32]| Fp::from_repr(*bytes).unwrap();
    let mut columns = Vec::new();
    for given in &witness.advice_rows {
        let mut column: Vec<Fp> = values.by_ref().take(*given as usize).map(value).collect();
        column.resize(rows, Fp::zero());
        columns.push(column);
    }
    for cell in &witness.denominators {
        let inverse = value(&cell.value.0).invert().unwrap_or(Fp::zero());
        columns[cell.column as usize][cell.row as usize] *= inverse;
    }
    columns
}

fn proofs_pass_both_ways_and_tampered_ones_neither<F: Fixture>() {
    let recorded = Recorded::<F>::new();
    let stock = Native::new(&F::empty(), recorded.k()).unwrap();
    let public = recorded.witness.public_inputs.clone();

    let ours = backend()
        .unwrap()
        .prove(&recorded.circuit, &recorded.witness)
        .unwrap()
        .bytes;
    assert!(
        stock.verifies(&recorded.instance, &ours),
        "{}: ours, natively",
        F::NAME
    );
    let filled = F::filled(&mut Dice::new(SEED)).0;
    let theirs = stock.prove(filled, &recorded.instance).unwrap();
    assert_eq!(
        recorded.verdict(&public, &theirs),
        Verdict::Valid,
        "{}: theirs, here",
        F::NAME
    );

    let refused = Verdict::Invalid {
        reason: Reason::Proof,
    };
    for (maker, proof) in [("ours", &ours), ("theirs", &theirs)] {
        let mut tampered = proof.clone();
        tampered[proof.len() / 3] ^= 4;
        assert_eq!(
            recorded.verdict(&public, &tampered),
            refused,
            "{}, {maker}",
            F::NAME
        );
        assert!(
            !stock.verifies(&recorded.instance, &tampered),
            "{}, {maker}",
            F::NAME
        );
    }
    for cell in 0..public.len() / 32 {
        let mut tampered = public.clone();
        tampered[cell * 32] ^= 1;
        assert_eq!(
            recorded.verdict(&tampered, &theirs),
            refused,
            "{}, {cell}",
            F::NAME
        );
    }
    if let Some(column) = recorded
        .instance
        .iter()
        .position(|column| !column.is_empty())
    {
        let mut tampered = recorded.instance.clone();
        tampered[column][0] += Fp::one();
        assert!(!stock.verifies(&tampered, &ours), "{}", F::NAME);
    }
}

macro_rules! tests {
    ($($name:ident: $fixture:ty,)*) => {
        $(mod $name {
            #[test]
            fn key_and_witness_are_those_of_stock_halo2() {
                crate::key_and_witness_are_those_of_stock_halo2::<$fixture>();
            }

            #[test]
            fn proofs_pass_both_ways_and_tampered_ones_neither() {
                crate::proofs_pass_both_ways_and_tampered_ones_neither::<$fixture>();
            }
        })*

        #[test]
        fn every_fixture_has_a_name_of_its_own() {
            let mut names = vec![$(<$fixture as Fixture>::NAME),*];
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    };
}

aureole_circuits::fixtures!(tests);

//! The estimates against the process's real memory. Linux only: it reads `/proc/self`.
//!
//! A test program of its own, so that no other test's memory is counted.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests state facts; a broken one should stop right there"
)]

use aureole_ir::{CheckedCircuit, Limits, PublicInput, Witness};
use aureole_prover::{Halo2Ipa, ParamsDir, estimate};
use aureole_sdk::{K, record};
use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{Advice, Circuit, Column, ConstraintSystem, Error, Fixed, Selector},
    poly::Rotation,
};
use pasta_curves::Fp;

const K_TESTED: u32 = 11;

/// Ten advice columns under a gate of degree 6, six fixed columns, all in the permutation.
struct Wide;

#[derive(Clone)]
struct Config {
    advice: Vec<Column<Advice>>,
    fixed: Vec<Column<Fixed>>,
    on: Selector,
}

impl Circuit<Fp> for Wide {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Config {
        let advice: Vec<_> = (0..10).map(|_| meta.advice_column()).collect();
        let fixed: Vec<_> = (0..6).map(|_| meta.fixed_column()).collect();
        let on = meta.selector();
        advice
            .iter()
            .for_each(|column| meta.enable_equality(*column));
        fixed
            .iter()
            .for_each(|column| meta.enable_equality(*column));
        meta.create_gate("fifth powers", |cells| {
            let on = cells.query_selector(on);
            let sum = advice
                .iter()
                .map(|column| cells.query_advice(*column, Rotation::cur()));
            let sum = sum.reduce(|sum, value| sum + value).unwrap();
            vec![on * sum.clone().square() * sum.clone().square() * sum]
        });
        Config { advice, fixed, on }
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fp>) -> Result<(), Error> {
        layouter.assign_region(
            || "rows",
            |mut region| {
                for row in 0..64 {
                    config.on.enable(&mut region, row)?;
                    for column in &config.advice {
                        region.assign_advice(|| "", *column, row, || Value::known(Fp::zero()))?;
                    }
                    for column in &config.fixed {
                        region.assign_fixed(|| "", *column, row, || Value::known(Fp::one()))?;
                    }
                }
                Ok(())
            },
        )
    }
}

fn recorded() -> (CheckedCircuit, Witness) {
    let none: Vec<PublicInput> = Vec::new();
    let circuit = record::circuit(&Wide, K::Fixed(K_TESTED), none).unwrap();
    let circuit = circuit.check(&Limits::default()).unwrap();
    let witness = record::witness(&Wide, circuit.circuit(), &[]).unwrap();
    (circuit, witness)
}

/// A line of `/proc/self/status` in bytes: `VmRSS` now, `VmHWM` at the peak.
fn memory(label: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(label)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

/// Sets the peak to what is used now.
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

#[test]
fn estimates_bound_what_is_measured() {
    let dir = concat!(env!("CARGO_TARGET_TMPDIR"), "/prover-params");
    let backend = Halo2Ipa::new(ParamsDir::open(dir).unwrap(), 1 << 30);
    let (circuit, witness) = recorded();
    let estimate = estimate(circuit.shape());
    backend.verifying(&circuit).unwrap();

    let before = memory("VmRSS");
    let keys = backend.proving(&circuit).unwrap();
    let key = memory("VmRSS").saturating_sub(before);
    // The allocator may have kept what `keygen_vk` used, so the measured key may be smaller.
    assert!(keys.memory_bytes() <= estimate.key_bytes + (1 << 20));
    assert!(
        key <= estimate.key_bytes * 5 / 4,
        "key {key}, estimate {}",
        estimate.key_bytes
    );

    forget_peak();
    let before = memory("VmRSS");
    backend.prove(&circuit, &witness).unwrap();
    let peak = memory("VmHWM").saturating_sub(before);
    let bound = estimate.prove_bytes;
    assert!(peak <= bound * 5 / 4, "peak {peak}, estimate {bound}");
    assert!(
        peak >= bound / 4,
        "peak {peak}, estimate {bound}: the estimate says nothing"
    );
}

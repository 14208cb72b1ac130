//! A probe finds forgotten constraints by name, and is silent where none is missing.

use std::time::Duration;

use aureole_ir::PublicInput;
use aureole_prover::{Effort, FindingKind, Probed, probe};
use aureole_sdk::record;
use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{
        Advice, Circuit, Column, ConstraintSystem, Constraints, Error, Expression, Instance,
        Selector, TableColumn,
    },
    poly::Rotation,
};
use pasta_curves::Fp;

use crate::{
    case::{Case, recorded, witness},
    circuits::{lookups::Lookups, mixed::Mixed, series::Series},
};

/// What the author of [`Split`] forgot.
const NOTHING: u8 = 0;
const HIGH_RANGE: u8 = 1;
const SUM_SELECTOR: u8 = 2;
const BIT: u8 = 3;

/// A public number below 256 is `low + 16 high`, both below 16; and a bit that chooses nothing.
struct Split<const FORGOTTEN: u8>;

#[derive(Clone)]
struct Config {
    low: Column<Advice>,
    high: Column<Advice>,
    number: Column<Advice>,
    public: Column<Instance>,
    sum: Selector,
    ranges: Selector,
    table: TableColumn,
}

impl<const FORGOTTEN: u8> Circuit<Fp> for Split<FORGOTTEN> {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Config {
        let [low, high, number] = [(); 3].map(|()| meta.advice_column());
        let config = Config {
            low,
            high,
            number,
            public: meta.instance_column(),
            sum: meta.selector(),
            ranges: meta.complex_selector(),
            table: meta.lookup_table_column(),
        };
        meta.enable_equality(number);
        meta.enable_equality(config.public);
        meta.create_gate("split", |cells| {
            let on = cells.query_selector(config.sum);
            let [low, high, number] =
                [low, high, number].map(|c| cells.query_advice(c, Rotation::cur()));
            let bit = cells.query_advice(config.number, Rotation::next());
            let one = Expression::Constant(Fp::one());
            // With the hole, the bit is asked only where `low` is zero.
            let guard = if FORGOTTEN == BIT {
                low.clone() * high.clone() - low.clone() * high.clone()
            } else {
                one.clone()
            };
            Constraints::with_selector(
                on,
                [
                    ("parts", low + high * Fp::from(16) - number),
                    ("bit", guard * bit.clone() * (one - bit)),
                ],
            )
        });
        let mut columns = vec![low];
        if FORGOTTEN != HIGH_RANGE {
            columns.push(high);
        }
        for column in columns {
            meta.lookup(|cells| {
                let on = cells.query_selector(config.ranges);
                vec![(
                    on * cells.query_advice(column, Rotation::cur()),
                    config.table,
                )]
            });
        }
        config
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fp>) -> Result<(), Error> {
        layouter.assign_table(
            || "small numbers",
            |mut table| {
                (0..16).try_for_each(|row| {
                    let value = || Value::known(Fp::from(row));
                    table.assign_cell(|| "", config.table, usize::try_from(row).unwrap(), value)
                })
            },
        )?;
        let number = layouter.assign_region(
            || "the number",
            |mut region| {
                if FORGOTTEN != SUM_SELECTOR {
                    config.sum.enable(&mut region, 0)?;
                }
                config.ranges.enable(&mut region, 0)?;
                let known = |value: u64| move || Value::known(Fp::from(value));
                region.assign_advice(|| "low", config.low, 0, known(10))?;
                region.assign_advice(|| "high", config.high, 0, known(5))?;
                region.assign_advice(|| "bit", config.number, 1, known(1))?;
                region.assign_advice(|| "number", config.number, 0, known(90))
            },
        )?;
        layouter.constrain_instance(number.cell(), config.public, 0)
    }
}

impl<const FORGOTTEN: u8> Case for Split<FORGOTTEN> {
    type Circuit = Self;

    fn public_inputs() -> Vec<PublicInput> {
        vec![PublicInput::new("number", 0, 1)]
    }

    fn empty() -> Self {
        Self
    }

    fn filled() -> (Self, Vec<Vec<Fp>>) {
        (Self, vec![vec![Fp::from(90)]])
    }
}

fn probed<C: Case>() -> Probed {
    let circuit = recorded::<C>();
    let annotations = record::annotations(&C::empty()).unwrap();
    let effort = Effort::unbounded();
    let probed = probe(&circuit, &annotations, &witness::<C>(&circuit), &effort).unwrap();
    let (done, all) = effort.progress();
    assert_eq!((done, probed.unseen), (all, 0));
    probed
}

/// Kind, cells and readers of each finding.
fn found<C: Case>() -> Vec<(FindingKind, Vec<String>, Vec<String>)> {
    let findings = probed::<C>().findings.into_iter();
    findings
        .map(|finding| {
            let cells = finding.cells.iter().map(|found| {
                let region = found.region.as_ref().map_or("", |region| &region.name);
                format!("{} in {region}", found.cell.name)
            });
            (finding.kind, cells.collect(), finding.readers)
        })
        .collect()
}

#[test]
fn a_circuit_that_lacks_nothing_has_no_finding_but_its_free_bit() {
    // The bit is bound to nothing, and both of its values are good: a finding worth reading.
    let free = found::<Split<NOTHING>>();
    assert_eq!(free.len(), 1, "{free:?}");
    assert_eq!(free[0].1, ["a2 in the number"]);
    assert_eq!(free[0].2, ["gate 0 'split' constraint 1 'bit'"]);
}

#[test]
fn a_forgotten_range_check_is_found_by_name_as_a_pair() {
    let findings = found::<Split<HIGH_RANGE>>();
    let pair = findings
        .iter()
        .find(|finding| finding.0 == FindingKind::Together)
        .unwrap();
    assert_eq!(pair.1, ["a0 in the number", "a1 in the number"]);
    assert_eq!(pair.2, ["gate 0 'split' constraint 0 'parts'", "lookup 0"]);
}

#[test]
fn a_selector_that_was_not_enabled_leaves_values_that_nothing_binds() {
    let findings = found::<Split<SUM_SELECTOR>>();
    let kinds: Vec<_> = findings
        .iter()
        .map(|(kind, cells, _)| (*kind, cells[0].as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (FindingKind::Free, "a0 in the number"),
            (FindingKind::Free, "a1 in the number"),
            (FindingKind::Unread, "a2 in the number"),
        ]
    );
}

#[test]
fn a_constraint_that_is_always_zero_frees_what_it_should_bind() {
    let findings = found::<Split<BIT>>();
    assert!(
        findings
            .iter()
            .any(|(_, cells, _)| cells == &["a2 in the number"]),
        "{findings:?}"
    );
}

#[test]
fn circuits_without_holes_are_silent_and_their_padding_is_counted_apart() {
    for (name, probed) in [
        ("series", probed::<Series<40>>()),
        ("lookups", probed::<Lookups>()),
    ] {
        assert_eq!(probed.findings, [], "{name}");
        assert!(probed.values + probed.pinned > 0, "{name}");
    }
    let probed = probed::<Mixed>();
    assert!(probed.changes > probed.values, "{probed:?}");
}

#[test]
fn a_witness_that_is_not_good_is_refused_with_what_it_breaks() {
    let circuit = recorded::<Series<5>>();
    let mut witness = witness::<Series<5>>(&circuit);
    witness.advice_values[2 * 32] ^= 1;
    let annotations = record::annotations(&Series::<5>::empty()).unwrap();
    let refused = probe(&circuit, &annotations, &witness, &Effort::unbounded()).unwrap_err();
    assert!(refused.failures[0].region.is_some(), "{refused}");
    assert!(!format!("{refused:?}").contains("0x"), "{refused:?}");
}

#[test]
fn a_probe_without_time_says_how_many_values_it_did_not_reach() {
    let circuit = recorded::<Series<40>>();
    let annotations = record::annotations(&Series::<40>::empty()).unwrap();
    let witness = witness::<Series<40>>(&circuit);
    let effort = Effort::within(Duration::ZERO);
    let probed = probe(&circuit, &annotations, &witness, &effort).unwrap();
    assert_eq!((probed.values, probed.changes), (0, 0));
    assert_eq!(effort.progress(), (0, probed.unseen));
    assert!(probed.unseen > 0);
}

#[test]
fn no_finding_shows_a_value() {
    let text = serde_json::to_string(&probed::<Split<HIGH_RANGE>>()).unwrap();
    assert!(!text.contains("0x") && !text.contains("value\":"), "{text}");
}

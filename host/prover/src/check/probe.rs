//! Changes a good witness cell by cell and reports what nobody noticed: likely missing
//! constraints.
//!
//! ```text
//!  copies ──▶ classes of equal cells ──▶ change one ──▶ only what reads it is evaluated
//!                                            │ broken             │ holds
//!                                            ▼                    ▼
//!                                 repair it by one other       finding
//!                                 cell of what broke
//! ```
//!
//! Public inputs and fixed cells stay as they are, and so does every cell copied from one. What a
//! change breaks is found by evaluating the constraints that read it and no other, so a circuit
//! of ten thousand cells takes seconds. Values are taken from all over the table, so that a probe
//! whose time is over has seen something of every region. It looks around one witness: silence is
//! no proof.

mod classes;
mod effort;
mod units;

use aureole_ir::{Annotations, CheckedCircuit, Column, ColumnKind, Witness};
use ff::Field;
use pasta_curves::Fp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub(super) use self::classes::Spot;
pub use self::effort::Effort;
use self::{
    classes::{Class, Classes},
    units::{Sight, Units},
};
use super::{cells::Cells, explain, places};
use crate::{
    Cell, Error, Place, RegionRow, Unsatisfied, Values,
    limits::{FINDINGS_MAX, PROBE_PARTNERS_MAX},
};

/// What a probe of a circuit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// Values that were changed; cells that are copies of each other are one.
    pub values: u64,
    /// Values that a public input or a fixed cell pins through a copy, and that were left alone.
    pub pinned: u64,
    /// Changes that were tried.
    pub changes: u64,
    /// Cells of regions that hold zero and that nothing reads: padding.
    pub padding: u64,
    /// Values that were not reached because the time was over.
    pub unseen: u64,
    /// What nobody noticed, from the first row down, at most
    /// [`FINDINGS_MAX`](crate::FINDINGS_MAX).
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more: u64,
}

/// A change that breaks nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it looks.
    pub kind: FindingKind,
    /// One cell of each value that changes.
    pub cells: Vec<FoundCell>,
    /// What was done to the first of them. Never a value.
    pub change: String,
    /// The constraints and lookups that read the first cell and are content, by name.
    pub readers: Vec<String>,
}

/// How bad a finding looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Constraints read the value, and yet it can be changed alone.
    Free,
    /// Two values can be changed together.
    Together,
    /// No constraint reads the value at all, and it is not zero: assigned and forgotten, or a
    /// gate whose selector is off.
    Unread,
}

/// A cell and the region it stands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundCell {
    /// The cell.
    #[serde(flatten)]
    pub cell: Cell,
    /// The region around it, if its name is known.
    pub region: Option<RegionRow>,
}

/// What is done to a value.
type Change = fn(Fp) -> Fp;

/// Changes, in words and as they are done.
const CHANGES: [(&str, Change); 6] = [
    ("plus 1", |value| value + Fp::ONE),
    ("minus 1", |value| value - Fp::ONE),
    ("1 minus it", |value| Fp::ONE - value),
    ("zero", |_| Fp::ZERO),
    ("twice it", |value| value.double()),
    ("a large number", |value| {
        value + Fp::from(0x9e37_79b9_7f4a_7c15).square()
    }),
];

/// How many of the changes are tried together with a repair.
const REPAIRED_CHANGES: usize = 3;

/// Changes each value of a witness that satisfies its circuit, until the effort's time is over.
///
/// # Errors
/// The failures of a witness that does not satisfy it, without values.
pub fn probe(
    circuit: &CheckedCircuit,
    annotations: &Annotations,
    witness: &Witness,
    effort: &Effort,
) -> Result<Probed, Unsatisfied> {
    explain(circuit, annotations, witness, Values::Hidden)?;
    run(circuit, annotations, witness, effort).map_err(|error| Unsatisfied {
        failures: vec![super::malformed(error.code(), error.to_string())],
        more: 0,
    })
}

fn run(
    circuit: &CheckedCircuit,
    annotations: &Annotations,
    witness: &Witness,
    effort: &Effort,
) -> Result<Probed, Error> {
    let cells = Cells::new(circuit, witness)?.widened();
    let noise = cells.with_noise();
    let units = Units::new(circuit.circuit(), &cells)?;
    let classes = Classes::new(circuit, &cells);
    let scene = Scene {
        circuit,
        annotations,
        units: &units,
        classes: &classes,
    };
    let order = spread(&classes.all);
    effort.begin(order.len());
    let jobs = rayon::current_num_threads().saturating_mul(4).max(1);
    let chunk = order.len().div_ceil(jobs).max(1);
    let parts: Vec<Probed> = order
        .par_chunks(chunk)
        .map(|classes| {
            let (mut cells, mut noise) = (cells.clone(), noise.clone());
            let mut probed = Probed::default();
            for class in classes {
                if effort.is_over() {
                    probed.unseen += 1;
                    continue;
                }
                scene.probe(class, &mut cells, &mut noise, &mut probed);
                effort.advance();
            }
            probed
        })
        .collect();
    let mut all = Probed::default();
    for part in parts {
        all.values += part.values;
        all.pinned += part.pinned;
        all.changes += part.changes;
        all.padding += part.padding;
        all.unseen += part.unseen;
        all.findings.extend(part.findings);
    }
    let place = |finding: &Finding| finding.cells.first().map(|found| found.cell.place.row);
    all.findings
        .sort_by_key(|finding| (finding.kind, place(finding)));
    let more = all.findings.len().saturating_sub(FINDINGS_MAX);
    all.findings.truncate(FINDINGS_MAX);
    all.more = more as u64;
    Ok(all)
}

/// All of a list, each stretch of the result from all over it.
fn spread<T>(list: &[T]) -> Vec<&T> {
    let step = (1_usize..).find(|step| step.saturating_mul(*step) >= list.len());
    let step = step.unwrap_or(1).max(1);
    (0..step)
        .flat_map(|start| list.iter().skip(start).step_by(step))
        .collect()
}

/// What does not change from one class to the next.
struct Scene<'a> {
    circuit: &'a CheckedCircuit,
    annotations: &'a Annotations,
    units: &'a Units,
    classes: &'a Classes,
}

// === impl Scene ===

impl Scene<'_> {
    fn probe(&self, class: &Class, cells: &mut Cells, noise: &mut Cells, probed: &mut Probed) {
        if class.pinned {
            probed.pinned += 1;
            return;
        }
        let sights = self.units.sights(&class.spots, noise);
        let Some(value) = class.spots.first().map(|spot| cells.spot(*spot)) else {
            return;
        };
        if sights.is_empty() {
            if value == Fp::ZERO {
                probed.padding += class
                    .spots
                    .iter()
                    .filter(|spot| self.in_region(**spot))
                    .count() as u64;
            } else {
                probed.values += 1;
                let finding = self.finding(FindingKind::Unread, &[class], "anything", &[]);
                probed.findings.push(finding);
            }
            return;
        }
        probed.values += 1;
        for (index, (words, change)) in CHANGES.iter().enumerate() {
            let changed = change(value);
            if changed == value {
                continue;
            }
            probed.changes += 1;
            cells.put(&class.spots, changed);
            let broken = self.units.broken(&sights, cells);
            let found = match broken {
                None => Some(self.finding(FindingKind::Free, &[class], words, &sights)),
                Some(broken) if index < REPAIRED_CHANGES => self
                    .repair(class, &sights, broken, cells, noise)
                    .map(|other| {
                        self.finding(FindingKind::Together, &[class, other], words, &sights)
                    }),
                Some(_) => None,
            };
            cells.put(&class.spots, value);
            if let Some(finding) = found {
                probed.findings.push(finding);
                return;
            }
        }
    }

    /// A value later in the table whose change makes good what a change broke.
    fn repair(
        &self,
        class: &Class,
        sights: &[Sight],
        broken: Sight,
        cells: &mut Cells,
        noise: &mut Cells,
    ) -> Option<&Class> {
        let partners = self.units.reads(broken, cells).into_iter();
        let partners = partners
            .filter_map(|spot| self.classes.of(spot))
            .filter(|other| {
                // A pair is found from its first value; the second would find it again.
                !other.pinned && other.spots.first() > class.spots.first()
            });
        for other in partners.take(PROBE_PARTNERS_MAX) {
            let Some(value) = other.spots.first().map(|spot| cells.spot(*spot)) else {
                continue;
            };
            let repaired = self.units.solve(broken, &other.spots, value, cells);
            let holds = repaired.is_some_and(|repaired| {
                cells.put(&other.spots, repaired);
                let also = self.units.sights(&other.spots, noise);
                self.units.broken(sights, cells).is_none()
                    && self.units.broken(&also, cells).is_none()
            });
            cells.put(&other.spots, value);
            if holds {
                return Some(other);
            }
        }
        None
    }

    fn finding(
        &self,
        kind: FindingKind,
        classes: &[&Class],
        change: &str,
        sights: &[Sight],
    ) -> Finding {
        let cells = classes
            .iter()
            .filter_map(|class| class.spots.first())
            .map(|spot| {
                let column = spot.column();
                FoundCell {
                    cell: Cell::new(Place::new(column, spot.row, None), 0, None),
                    region: self.region(column, spot.row),
                }
            });
        Finding {
            kind,
            cells: cells.collect(),
            change: change.to_owned(),
            readers: self.units.names(self.circuit.circuit(), sights),
        }
    }

    fn region(&self, column: Column, row: u32) -> Option<RegionRow> {
        places::locate_cell(&self.annotations.regions, row, column)
    }

    fn in_region(&self, spot: Spot) -> bool {
        self.annotations.regions.is_empty() || self.region(spot.column(), spot.row).is_some()
    }
}

// === impl Spot ===

impl Spot {
    fn column(self) -> Column {
        Column {
            kind: ColumnKind::Advice,
            index: self.column,
        }
    }
}

//! What a task will take: predicted from its circuit's shape, corrected by what this cluster measured.
//!
//! Integers only, so that members agree. Reports come from workers and are clamped: a worker that
//! lies bends estimates by a bounded factor and nothing else.

use serde::{Deserialize, Serialize};

use crate::limits::{
    DURATION_US_MAX, INSPECT_WORK_US, MEMORY_ASSUMED_BYTES, MEMORY_CORRECTION_MAX, PREPARE_WORK_US,
    PROOF_WORK_US, SAMPLES_MAX, WORK_UNIT_NANOS,
};
use crate::{CircuitId, CircuitRecord, CircuitState, Millis, Stage, State, TaskKind, Timings};

/// What proofs of a circuit took here, as moving averages over the newest `SAMPLES_MAX` or so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Proofs that were counted.
    pub proofs: u32,
    /// Microseconds that proving takes on one thread.
    pub prove_us: u64,
    /// Microseconds of witness and check, which have one thread anyway.
    pub witness_us: u64,
    /// Microseconds of making the keys; 0 when it was not reported.
    pub keygen_us: u64,
    /// Most memory an attempt had, slowly forgotten; 0 when it was not reported.
    pub peak_memory_bytes: u64,
}

/// How fast this cluster's workers are, over all circuits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Proofs that were counted.
    pub proofs: u32,
    /// Nanoseconds that one unit of `CircuitFacts::work` takes on one thread.
    pub unit_nanos: u64,
}

/// What an estimate rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// This circuit was proved here before.
    Measured {
        /// How often.
        proofs: u32,
    },
    /// The circuit's shape, and how fast other circuits were proved here.
    Shape {
        /// How many proofs say how fast; 0 is the built-in figure.
        proofs: u32,
    },
    /// Nothing is known: an inspection, a preparation, or a circuit without figures.
    Assumed,
}

/// What an attempt at a task will take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// How long it runs.
    pub duration_ms: Millis,
    /// Its peak memory.
    pub memory: Need,
    /// What both rest on.
    pub basis: Basis,
}

/// The memory to set aside for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// What is set aside; a smaller worker sets aside all it has.
    pub bytes: u64,
    /// A worker with less is too small for the task. Never more than the shape says: a report of
    /// too much memory must not make a circuit too large for workers that proved it.
    pub least: u64,
}

/// Says how much faster a number of threads proves than one, in thousandths.
///
/// Each doubling brings a factor of 1.63: measured with one and two threads, which leaves two proofs
/// side by side on one thread each 22% ahead of one after the other on two.
pub fn speedup(threads: u32) -> u64 {
    let threads = u64::from(threads.max(1));
    let (mut base, mut factor) = (1, 1000);
    while base * 2 <= threads {
        base *= 2;
        factor = factor * 163 / 100;
    }
    factor + factor * 63 / 100 * (threads - base) / base
}

/// Returns the thread-milliseconds that an attempt used, as its worker reports.
pub(crate) fn thread_ms(timings: &Timings, threads: u32) -> u64 {
    let parts = timings.iter().filter(|(stage, _)| **stage != Stage::Queue);
    let micros = parts.map(|(stage, micros)| {
        let micros = (*micros).min(DURATION_US_MAX);
        if *stage == Stage::Prove {
            micros * speedup(threads) / 1000
        } else {
            micros
        }
    });
    (micros.sum::<u64>() / 1000).max(1)
}

/// Moves an average towards a sample: the mean of the first `SAMPLES_MAX`, then exponential.
fn average(old: u64, sample: u64, count: u32) -> u64 {
    let parts = u64::from(count.clamp(1, SAMPLES_MAX));
    if sample >= old {
        old.saturating_add((sample - old) / parts)
    } else {
        old - (old - sample) / parts
    }
}

// === impl Need ===

impl Need {
    /// Returns the bytes to set aside on a worker with that much memory; `None` when it is too small
    /// for the task. A worker that does not say how much it has (0) is never too small.
    pub fn on(self, memory_bytes: u64) -> Option<u64> {
        match memory_bytes {
            0 => Some(self.bytes),
            memory if memory < self.least => None,
            memory => Some(self.bytes.min(memory)),
        }
    }

    const fn guess(bytes: u64) -> Self {
        Self { bytes, least: 0 }
    }
}

// === impl Measured ===

impl Measured {
    /// Counts a proof.
    pub(crate) fn count(&mut self, timings: &Timings, threads: u32, peak: Option<u64>) {
        let of = |stage| {
            timings
                .get(&stage)
                .copied()
                .unwrap_or(0)
                .min(DURATION_US_MAX)
        };
        self.proofs = self.proofs.saturating_add(1);
        let prove = of(Stage::Prove) * speedup(threads) / 1000;
        self.prove_us = average(self.prove_us, prove, self.proofs);
        let witness = of(Stage::Witness) + of(Stage::Check);
        self.witness_us = average(self.witness_us, witness, self.proofs);
        self.count_keygen(timings);
        if let Some(peak) = peak {
            self.peak_memory_bytes = peak.max(self.peak_memory_bytes / 16 * 15);
        }
    }

    /// Notes how long the keys took; a warm attempt does not make them.
    pub(crate) fn count_keygen(&mut self, timings: &Timings) {
        let keygen = timings.get(&Stage::Keygen).copied().unwrap_or(0);
        if keygen > 0 {
            self.keygen_us = keygen.min(DURATION_US_MAX);
        }
    }
}

// === impl Pace ===

impl Pace {
    /// Counts a proof of some work that would have taken so long on one thread.
    pub(crate) fn count(&mut self, work: u64, prove_us: u64) {
        let Some(nanos) = prove_us.saturating_mul(1000).checked_div(work) else {
            return;
        };
        self.proofs = self.proofs.saturating_add(1);
        self.unit_nanos = average(self.unit_nanos, nanos, self.proofs);
    }
}

/// Microseconds by part.
struct Parts {
    prove: u64,
    witness: u64,
    keygen: u64,
    basis: Basis,
}

// === impl State ===

impl State {
    /// Estimates an attempt at a task of some kind.
    pub fn estimate(&self, kind: &TaskKind, threads: u32, warm: bool) -> Estimate {
        let parts = self.parts(kind);
        let keygen = if warm { 0 } else { parts.keygen };
        let parallel = (parts.prove.saturating_add(keygen)).saturating_mul(1000) / speedup(threads);
        Estimate {
            duration_ms: parallel.saturating_add(parts.witness).div_ceil(1000),
            memory: self.memory_need(kind),
            basis: parts.basis,
        }
    }

    /// Returns the thread-milliseconds that a task is charged for: at least one.
    pub(crate) fn charge_of(&self, kind: &TaskKind) -> u64 {
        let parts = self.parts(kind);
        (parts.prove.saturating_add(parts.witness) / 1000).max(1)
    }

    /// Returns the memory that an attempt at a task of some kind needs.
    pub fn memory_need(&self, kind: &TaskKind) -> Need {
        let TaskKind::Prove { circuit, .. } = kind else {
            return Need::guess(MEMORY_ASSUMED_BYTES);
        };
        let known = self.ready_circuit(circuit);
        let (predicted, measured) = known.map_or((0, 0), |(record, facts)| {
            (facts.memory_bytes, record.measured.peak_memory_bytes)
        });
        match (predicted, measured) {
            (0, 0) => Need::guess(MEMORY_ASSUMED_BYTES),
            (0, measured) => Need::guess(with_margin(measured)),
            (predicted, measured) => {
                let least = predicted / MEMORY_CORRECTION_MAX;
                let most = predicted.saturating_mul(MEMORY_CORRECTION_MAX);
                let bytes = match measured {
                    0 => predicted,
                    measured => with_margin(measured).clamp(least, most),
                };
                Need {
                    bytes,
                    least: bytes.min(predicted),
                }
            }
        }
    }

    fn parts(&self, kind: &TaskKind) -> Parts {
        let fixed = |prove| Parts {
            prove,
            witness: 0,
            keygen: 0,
            basis: Basis::Assumed,
        };
        match kind {
            TaskKind::InspectPlugin { .. } => fixed(INSPECT_WORK_US),
            TaskKind::PrepareCircuit { .. } => fixed(PREPARE_WORK_US),
            TaskKind::Prove { circuit, .. } => self.proof_parts(circuit),
        }
    }

    fn proof_parts(&self, circuit: &CircuitId) -> Parts {
        let record = self.circuit(circuit);
        let measured = record.map(|record| record.measured).unwrap_or_default();
        let work = record.map_or(0, work);
        let pace = self.pace();
        let (prove, basis) = match (measured.proofs, work) {
            (0, 0) => (PROOF_WORK_US, Basis::Assumed),
            (0, work) => {
                let nanos = if pace.proofs == 0 {
                    WORK_UNIT_NANOS
                } else {
                    pace.unit_nanos
                };
                let proofs = pace.proofs;
                (work.saturating_mul(nanos) / 1000, Basis::Shape { proofs })
            }
            (proofs, _) => (measured.prove_us, Basis::Measured { proofs }),
        };
        let prove = prove.min(DURATION_US_MAX);
        Parts {
            prove,
            witness: measured.witness_us,
            // Keys take a sixth of a proof on one thread, measured for k of 12 and 14.
            keygen: if measured.keygen_us == 0 {
                prove / 6
            } else {
                measured.keygen_us
            },
            basis,
        }
    }
}

fn work(record: &CircuitRecord) -> u64 {
    match &record.state {
        CircuitState::Ready(facts) => facts.work,
        CircuitState::Preparing | CircuitState::Rejected(_) => 0,
    }
}

/// A quarter more than was measured: a peak is sampled, and inputs differ.
const fn with_margin(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 4)
}

//! Explanations and estimates: why a task waits, for how long, and on what that rests.

use aureole_ledger::limits::{MEMORY_ASSUMED_BYTES, MEMORY_CORRECTION_MAX, WORK_UNIT_NANOS};
use aureole_ledger::{
    Basis, CircuitId, Command, Explanation, Outcome, Position, Stage, TaskKind, Wait, WorkerView,
    admit, codes, explain, speedup,
};

use crate::kit::{Ledger, digest, proved, task_id, view, wide_id, worker};

const GIB: u64 = 1 << 30;

fn told(ledger: &Ledger, task: u8, workers: &[WorkerView]) -> Explanation {
    explain(&ledger.state, ledger.now, &task_id(task), workers).unwrap()
}

fn proof(circuit: CircuitId) -> TaskKind {
    let input = digest("input");
    TaskKind::Prove { circuit, input }
}

/// Proves once, and says how long it took and how much memory it had.
fn prove(ledger: &mut Ledger, circuit: CircuitId, task: u8, prove_us: u64, peak: Option<u64>) {
    ledger.submit_as("t", circuit, task_id(task));
    let attempt = ledger.lease(task, "w");
    let mut command = ledger.complete_command(attempt, "w", proved("proof"));
    if let Command::CompleteTask {
        timings,
        peak_memory_bytes,
        ..
    } = &mut command
    {
        timings.insert(Stage::Prove, prove_us);
        *peak_memory_bytes = peak;
    }
    assert!(matches!(ledger.apply(&command), Outcome::Completed { .. }));
}

#[test]
fn every_reason_to_wait_is_told() {
    let (mut ledger, _) = Ledger::with_circuit();
    let circuit = ledger.add_circuit("timed", 2 * GIB, 100_000);
    let one = [view("w", 1, 1, 4 * GIB)];
    ledger.submit_as("t", circuit, task_id(1));
    assert_eq!(told(&ledger, 1, &one).wait, Wait::Nothing);
    assert_eq!(told(&ledger, 1, &one).starts_in_ms, Some(0));
    assert_eq!(told(&ledger, 1, &[]).wait, Wait::Worker);
    assert_eq!(told(&ledger, 1, &[]).starts_in_ms, None);
    let small = [view("small", 1, 1, GIB)];
    let needed = 2 * GIB;
    let larger = Wait::LargerWorker {
        needed,
        largest: GIB,
    };
    assert_eq!(told(&ledger, 1, &small).wait, larger);
    let leased = ledger.run(&one).remove(0);
    assert!(matches!(
        told(&ledger, 1, &one).wait,
        Wait::Result { since_ms: 0, .. }
    ));
    ledger.submit_as("t", circuit, task_id(2));
    assert_eq!(told(&ledger, 2, &one).wait, Wait::Slot { slots: 1 });
    let wide = [view("w", 4, 4, 3 * GIB)];
    let memory = Wait::Memory {
        worker: worker("w"),
        needed,
        free: GIB,
        reserved: false,
    };
    assert_eq!(told(&ledger, 2, &wide).wait, memory);
    ledger.submit_as("t", circuit, task_id(3));
    let third = told(&ledger, 3, &one);
    assert_eq!(third.wait, Wait::Turn);
    let position = Position {
        ahead: 1,
        exact: true,
    };
    assert_eq!(third.position, Some(position));
    assert!(third.starts_in_ms > told(&ledger, 2, &one).starts_in_ms);
    assert!(ledger.fail(leased.attempt, "w", "worker.crashed", true));
    assert!(matches!(
        told(&ledger, 1, &one).wait,
        Wait::BackOff { strikes: 1, .. }
    ));
    let _ = ledger.apply(&ledger.cancel_command(3));
    assert_eq!(told(&ledger, 3, &one).wait, Wait::Ended);
    assert_eq!(explain(&ledger.state, ledger.now, &task_id(99), &one), None);
}

#[test]
fn a_proof_of_a_circuit_in_preparation_waits_for_it() {
    let mut ledger = Ledger::with_plugin("component");
    let _ = ledger.apply(&ledger.circuit_command("component", "params", 9));
    let circuit = CircuitId::of(&digest("component"), &digest("params"));
    ledger.submit_as("t", circuit, task_id(1));
    let wait = told(&ledger, 1, &[view("w", 1, 1, 0)]).wait;
    assert_eq!(wait, Wait::Circuit { circuit });
}

#[test]
fn a_position_counts_fair_turns() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    for task in 0..100 {
        ledger.submit_as("flood", circuit, wide_id(task));
    }
    ledger.submit_as("other", circuit, task_id(77));
    let position = told(&ledger, 77, &[]).position;
    assert_eq!(
        position,
        Some(Position {
            ahead: 1,
            exact: true
        })
    );
}

#[test]
fn a_proof_too_large_for_all_workers_is_refused_with_the_figures() {
    let (mut ledger, _) = Ledger::with_circuit();
    let circuit = ledger.add_circuit("large", 9 * GIB, 1);
    assert_eq!(admit(&ledger.state, &circuit, &[]), Ok(()), "one may join");
    let small = [view("a", 1, 1, GIB), view("b", 1, 1, 2 * GIB)];
    let problem = admit(&ledger.state, &circuit, &small).unwrap_err();
    assert_eq!(problem.code, codes::TOO_LARGE);
    for figure in [9 * GIB, 2 * GIB] {
        assert!(problem.detail.contains(&figure.to_string()), "{problem:?}");
    }
    let silent = [view("silent", 1, 1, 0)];
    assert_eq!(admit(&ledger.state, &circuit, &silent), Ok(()));
    let unknown = CircuitId::of(&digest("x"), &digest("y"));
    assert_eq!(admit(&ledger.state, &unknown, &small), Ok(()));
}

#[test]
fn an_estimate_rests_on_the_shape_until_the_circuit_was_measured() {
    let (mut ledger, bare) = Ledger::with_circuit();
    let circuit = ledger.add_circuit("timed", GIB, 100_000);
    let twin = ledger.add_circuit("twin", GIB, 200_000);
    assert_eq!(
        ledger.state.estimate(&proof(bare), 1, true).basis,
        Basis::Assumed
    );
    let first = ledger.state.estimate(&proof(circuit), 1, true);
    assert_eq!(first.basis, Basis::Shape { proofs: 0 });
    assert_eq!(first.duration_ms, 100_000 * WORK_UNIT_NANOS / 1_000_000);
    prove(&mut ledger, circuit, 1, 500_000, None);
    let measured = ledger.state.estimate(&proof(circuit), 1, true);
    assert_eq!(measured.basis, Basis::Measured { proofs: 1 });
    assert_eq!(measured.duration_ms, 500);
    let other = ledger.state.estimate(&proof(twin), 1, true);
    assert_eq!(other.basis, Basis::Shape { proofs: 1 });
    assert_eq!(
        other.duration_ms, 1_000,
        "the cluster's pace, twice the work"
    );
    assert!(ledger.state.estimate(&proof(twin), 1, false).duration_ms > other.duration_ms);
    let two = ledger.state.estimate(&proof(twin), 2, true).duration_ms;
    assert_eq!(two, 1_000_000_u64.div_ceil(speedup(2)));
}

#[test]
fn a_lying_report_of_memory_moves_little_and_excludes_nobody() {
    for peak in [1, u64::MAX] {
        let (mut ledger, _) = Ledger::with_circuit();
        let circuit = ledger.add_circuit("timed", GIB, 1);
        prove(&mut ledger, circuit, 1, 1, Some(peak));
        let need = ledger.state.memory_need(&proof(circuit));
        let range = GIB / MEMORY_CORRECTION_MAX..=GIB * MEMORY_CORRECTION_MAX;
        assert!(range.contains(&need.bytes), "{need:?}");
        assert!(need.on(GIB).is_some(), "{need:?}");
    }
}

#[test]
fn an_inspection_fits_a_small_worker() {
    let ledger = Ledger::new();
    let plugin = digest("component");
    let need = ledger
        .state
        .memory_need(&TaskKind::InspectPlugin { plugin });
    assert_eq!(need.on(4 * GIB), Some(MEMORY_ASSUMED_BYTES));
    assert_eq!(need.on(1 << 20), Some(1 << 20));
}

#[test]
fn threads_speed_up_by_less_than_their_number() {
    assert_eq!([1, 2, 4].map(speedup), [1000, 1630, 2656]);
    for threads in 1..200 {
        assert!(speedup(threads + 1) >= speedup(threads));
        assert!(speedup(threads) <= 1000 * u64::from(threads));
    }
    assert_eq!(speedup(0), speedup(1));
}

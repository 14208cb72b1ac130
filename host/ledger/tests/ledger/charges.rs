//! What leases are charged: corrected at every end of an attempt, in the window that they began in.

use aureole_ledger::{
    AttemptRef, CORE_WINDOW_MS, CircuitId, Command, Expiry, Millis, Outcome, Stage, TenantId,
    Timings, codes,
};

use crate::kit::{Ledger, proved, task_id, worker};

/// A ledger with proofs of these ids queued, and what was charged before them.
fn with_proofs(tasks: &[u8]) -> (Ledger, CircuitId, u64) {
    let (mut ledger, circuit) = Ledger::with_circuit();
    for task in tasks {
        submit(&mut ledger, circuit, *task);
    }
    let before = core_ms(&ledger);
    (ledger, circuit, before)
}

fn submit(ledger: &mut Ledger, circuit: CircuitId, task: u8) {
    let command = ledger.submit_command(circuit, task);
    assert!(matches!(
        ledger.apply(&command),
        Outcome::TaskSubmitted { created: true, .. }
    ));
}

fn core_ms(ledger: &Ledger) -> u64 {
    ledger.state.usage(&TenantId::default()).core_ms
}

fn within(ledger: &Ledger) -> u64 {
    ledger.state.usage(&TenantId::default()).within(ledger.now)
}

/// Completes an attempt that took so many milliseconds of its one thread.
fn complete(ledger: &mut Ledger, attempt: AttemptRef, by: &str, used: Millis) {
    let mut command = ledger.complete_command(attempt, by, proved("proof"));
    if let Command::CompleteTask { timings, .. } = &mut command {
        *timings = Timings::from([(Stage::Prove, used * 1000)]);
    }
    let outcome = ledger.apply(&command);
    assert!(matches!(outcome, Outcome::Completed { .. }), "{outcome:?}");
}

/// Leases a task that runs a second time.
fn double(ledger: &mut Ledger, held: AttemptRef, to: &str) -> AttemptRef {
    let second = AttemptRef {
        attempt: held.attempt + 1,
        ..held
    };
    let command = Command::LeaseTask {
        task: second.task,
        attempt: second.attempt,
        worker: worker(to),
        expires_at: ledger.now + 10_000,
        now: ledger.now,
        threads: 1,
        memory_bytes: 0,
        speculative: true,
    };
    assert_eq!(ledger.apply(&command), Outcome::Leased);
    second
}

#[test]
fn an_attempt_that_is_handed_back_or_cancelled_at_once_costs_nothing() {
    let (mut ledger, _, before) = with_proofs(&[1]);
    let attempt = ledger.lease(1, "w");
    assert!(core_ms(&ledger) > before);
    assert!(ledger.fail(attempt, "w", codes::HANDED_BACK, true));
    assert_eq!(core_ms(&ledger), before);
    let attempt = ledger.lease(1, "w");
    let restarted = ledger.expire_command(attempt, Expiry::NodeRestarted);
    assert!(matches!(
        ledger.apply(&restarted),
        Outcome::AttemptEnded { requeued: true, .. }
    ));
    assert_eq!(core_ms(&ledger), before);
    let _ = ledger.lease(1, "w");
    let cancel = ledger.cancel_command(1);
    assert!(matches!(ledger.apply(&cancel), Outcome::Cancelled { .. }));
    assert_eq!((core_ms(&ledger), within(&ledger)), (before, before));
}

#[test]
fn an_attempt_without_a_result_costs_what_it_took_and_never_more_than_its_charge() {
    let (mut ledger, _, before) = with_proofs(&[1]);
    let attempt = ledger.lease(1, "w");
    let charge = core_ms(&ledger) - before;
    assert!(charge > 3);
    ledger.now += 3;
    assert!(ledger.fail(attempt, "w", codes::HANDED_BACK, true));
    assert_eq!(core_ms(&ledger), before + 3);
    let attempt = ledger.lease(1, "w");
    ledger.now += 2 * charge;
    assert!(!ledger.fail(attempt, "w", "worker.broken", false));
    assert_eq!(core_ms(&ledger), before + 3 + charge);
}

#[test]
fn the_loser_of_two_attempts_costs_what_it_took() {
    let (mut ledger, _, before) = with_proofs(&[1, 2]);
    let first = ledger.lease(1, "a");
    ledger.now += 2;
    let second = double(&mut ledger, first, "b");
    ledger.now += 1;
    complete(&mut ledger, second, "b", 7);
    assert_eq!(core_ms(&ledger), before + 3 + 7);
    // Both end with their task.
    let first = ledger.lease(2, "a");
    let _ = double(&mut ledger, first, "b");
    ledger.now += 1;
    let cancel = ledger.cancel_command(2);
    let _ = ledger.apply(&cancel);
    assert!(ledger.task(task_id(2)).is_finished());
    assert_eq!(core_ms(&ledger), before + 3 + 7 + 2);
}

#[test]
fn a_charge_of_an_earlier_window_is_not_taken_from_the_fresh_one() {
    let (mut ledger, circuit, _) = with_proofs(&[1]);
    let before = core_ms(&ledger);
    let first = ledger.lease(1, "a");
    let charge = core_ms(&ledger) - before;
    ledger.now += CORE_WINDOW_MS;
    submit(&mut ledger, circuit, 2);
    let second = ledger.lease(2, "b");
    let fresh = core_ms(&ledger) - before - charge;
    assert_eq!(within(&ledger), fresh);
    complete(&mut ledger, first, "a", 1);
    assert_eq!(within(&ledger), fresh);
    assert_eq!(core_ms(&ledger), before + 1 + fresh);
    // What it took beyond its charge is new.
    ledger.now += CORE_WINDOW_MS;
    complete(&mut ledger, second, "b", fresh + 500);
    assert_eq!(within(&ledger), 500);
    assert_eq!(core_ms(&ledger), before + 1 + fresh + 500);
}

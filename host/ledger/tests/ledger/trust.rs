//! Quarantine: three proofs that do not verify, and nothing more until an operator says so.

use aureole_ledger::limits::{DISTRUSTED_MAX, INVALID_PROOFS_MAX};
use aureole_ledger::{Command, Outcome, Refusal, State, codes};

use crate::kit::{Ledger, task_id, worker};

/// Has a worker bring invalid proofs, each for a task of its own.
fn lie(ledger: &mut Ledger, name: &str, times: u8) {
    let circuit = match ledger.state.circuits().next() {
        Some(circuit) => circuit.id,
        None => panic!("no circuit"),
    };
    for task in 0..times {
        let command = ledger.submit_command(circuit, task + 10);
        let _ = ledger.apply(&command);
        let attempt = ledger.lease(task + 10, name);
        let _ = ledger.fail(attempt, name, codes::PROOF_INVALID, true);
        let cancel = ledger.cancel_command(task + 10);
        let _ = ledger.apply(&cancel);
        let forget = Command::ForgetTasks {
            tasks: vec![task_id(task + 10)],
        };
        let _ = ledger.apply(&forget);
    }
}

#[test]
fn a_worker_whose_proofs_do_not_verify_gets_no_further_leases() {
    let mut ledger = Ledger::with_proof();
    let max = u8::try_from(INVALID_PROOFS_MAX).unwrap();
    lie(&mut ledger, "liar", max - 1);
    assert_eq!(ledger.planned(&[("liar", 1)]), [task_id(1)]);
    ledger.now = 500;
    lie(&mut ledger, "liar", 1);
    assert_eq!(ledger.planned(&[("liar", 1)]), []);
    assert_eq!(ledger.planned(&[("liar", 1), ("honest", 1)]), [task_id(1)]);
    let lease = ledger.lease_command(1, 1, "liar");
    let refusal = ledger.refusal(&lease);
    let expected = Refusal::WorkerQuarantined {
        worker: worker("liar"),
        since: 500,
        invalid_proofs: INVALID_PROOFS_MAX,
    };
    assert_eq!(refusal, expected);
    assert_eq!(refusal.code(), "worker.quarantined");
}

#[test]
fn neither_a_restart_nor_another_failure_ends_a_quarantine_but_an_operator_does() {
    let mut ledger = Ledger::with_proof();
    lie(&mut ledger, "liar", 3);
    ledger.state = State::decode(&ledger.state.encode().unwrap()).unwrap();
    assert!(
        ledger
            .state
            .distrust(&worker("liar"))
            .quarantined_at
            .is_some()
    );
    assert_eq!(ledger.planned(&[("liar", 1)]), []);
    assert_eq!(ledger.state.distrusted().count(), 1);
    let trust = Command::TrustWorker {
        worker: worker("liar"),
    };
    assert_eq!(ledger.apply(&trust), Outcome::WorkerTrusted);
    assert_eq!(ledger.planned(&[("liar", 1)]), [task_id(1)]);
    assert_eq!(ledger.state.distrust(&worker("liar")).invalid_proofs, 0);
}

#[test]
fn other_failures_are_not_held_against_a_worker() {
    let mut ledger = Ledger::with_proof();
    for _ in 0..2 {
        let attempt = ledger.lease(1, "w");
        let _ = ledger.fail(attempt, "w", "prover.panicked", true);
        ledger.now += 60_000;
    }
    assert_eq!(ledger.state.distrust(&worker("w")).invalid_proofs, 0);
}

#[test]
fn of_too_many_liars_the_least_is_forgotten_first() {
    let mut ledger = Ledger::with_proof();
    lie(&mut ledger, "worst", 3);
    for number in 0..DISTRUSTED_MAX {
        lie(&mut ledger, &format!("w{number}"), 1);
    }
    assert_eq!(ledger.state.distrusted().count(), DISTRUSTED_MAX);
    assert!(
        ledger
            .state
            .distrust(&worker("worst"))
            .quarantined_at
            .is_some()
    );
}

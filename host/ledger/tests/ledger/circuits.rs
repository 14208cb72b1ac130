//! Circuits: prepared once, waited for, rejected with those who wait.

use aureole_ledger::{
    CircuitId, CircuitState, Completion, Outcome, PluginState, Problem, Refusal, TaskPhase, codes,
};

use crate::kit::{Ledger, digest, facts, proved, task_id};

#[test]
fn registering_twice_prepares_once() {
    let mut ledger = Ledger::with_plugin("component");
    let circuit = CircuitId::of(&digest("component"), &digest("params"));
    let first = ledger.circuit_command("component", "params", 1);
    let task = Some(task_id(1));
    assert_eq!(
        ledger.apply(&first),
        Outcome::CircuitRegistered {
            circuit,
            task,
            created: true
        }
    );
    let again = ledger.circuit_command("component", "params", 2);
    assert_eq!(
        ledger.apply(&again),
        Outcome::CircuitRegistered {
            circuit,
            task,
            created: false
        }
    );
}

#[test]
fn a_plugin_must_be_ready() {
    let mut ledger = Ledger::new();
    let command = ledger.circuit_command("component", "params", 1);
    assert_eq!(
        ledger.refusal(&command),
        Refusal::UnknownPlugin(digest("component"))
    );
    let _ = ledger.register_plugin("component", 2);
    assert_eq!(
        ledger.refusal(&command),
        Refusal::PluginInspecting(digest("component"))
    );
    let attempt = ledger.lease(2, "w");
    ledger.fail(attempt, "w", "plugin.trap", false);
    let plugin = digest("component");
    let problem = Problem::new("plugin.trap", "it went wrong");
    assert_eq!(
        ledger.refusal(&command),
        Refusal::PluginRejected { plugin, problem }
    );
    assert!(matches!(
        ledger.state.plugin(&plugin).unwrap().state,
        PluginState::Rejected(_)
    ));
}

#[test]
fn a_proof_waits_for_its_circuit() {
    let mut ledger = Ledger::with_plugin("component");
    let command = ledger.circuit_command("component", "params", 1);
    let _ = ledger.apply(&command);
    let circuit = CircuitId::of(&digest("component"), &digest("params"));
    let command = ledger.submit_command(circuit, 2);
    let _ = ledger.apply(&command);
    assert_eq!(ledger.planned(&[("w", 4)]), [task_id(1)]);
    assert_eq!(
        (ledger.state.waiting_count(), ledger.state.queued_count()),
        (1, 1)
    );
    let too_early = ledger.lease_command(2, 1, "w");
    assert_eq!(ledger.refusal(&too_early), Refusal::NotWaiting(task_id(2)));
    let attempt = ledger.lease(1, "w");
    ledger.complete(attempt, "w", Completion::CircuitPrepared(facts("a")));
    assert_eq!(ledger.planned(&[("w", 4)]), [task_id(2)]);
    let attempt = ledger.lease(2, "w");
    ledger.complete(attempt, "w", proved("proof"));
}

#[test]
fn a_rejected_circuit_fails_those_who_wait_and_refuses_newcomers() {
    let mut ledger = Ledger::with_plugin("component");
    let command = ledger.circuit_command("component", "params", 1);
    let _ = ledger.apply(&command);
    let circuit = CircuitId::of(&digest("component"), &digest("params"));
    for task in [2, 3] {
        let command = ledger.submit_command(circuit, task);
        let _ = ledger.apply(&command);
    }
    assert_eq!(ledger.state.waiting_for(&circuit), [task_id(2), task_id(3)]);
    let attempt = ledger.lease(1, "w");
    ledger.fail(attempt, "w", "ir.k", false);
    let problem = Problem::new("ir.k", "it went wrong");
    for task in [2, 3] {
        assert_eq!(ledger.task(task_id(task)).problem(), Some(&problem));
        assert_eq!(ledger.task(task_id(task)).finished_at, Some(ledger.now));
    }
    let command = ledger.submit_command(circuit, 4);
    assert_eq!(
        ledger.refusal(&command),
        Refusal::CircuitRejected { circuit, problem }
    );
    let again = ledger.circuit_command("component", "params", 5);
    assert!(matches!(
        ledger.apply(&again),
        Outcome::CircuitRegistered { created: true, .. }
    ));
    assert_eq!(
        ledger.state.circuit(&circuit).unwrap().state,
        CircuitState::Preparing
    );
}

#[test]
fn an_unknown_circuit_takes_no_task() {
    let (mut ledger, _) = Ledger::with_circuit();
    let unknown = CircuitId::from_bytes([7; 16]);
    let command = ledger.submit_command(unknown, 1);
    assert_eq!(ledger.refusal(&command), Refusal::UnknownCircuit(unknown));
}

#[test]
fn preparations_and_inspections_cannot_be_cancelled() {
    let mut ledger = Ledger::with_plugin("component");
    let command = ledger.circuit_command("component", "params", 1);
    let _ = ledger.apply(&command);
    let cancel = ledger.cancel_command(1);
    assert_eq!(ledger.refusal(&cancel), Refusal::NotCancellable(task_id(1)));
    assert_eq!(ledger.task(task_id(1)).phase(), TaskPhase::Queued);
    assert_eq!(codes::CANCELLED, "task.cancelled");
}

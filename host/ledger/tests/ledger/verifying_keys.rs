//! Keys: published under names, rotated with overlap, revoked for good.

use aureole_ledger::limits::REASON_BYTES_MAX;
use aureole_ledger::{
    CircuitId, Command, Completion, Outcome, Refusal, TaskPhase, TenantId, codes,
};

use crate::kit::{Ledger, digest, facts, proved, task_id};

fn publish(name: &str, circuit: CircuitId, tenant: &str) -> Command {
    Command::PublishVerifyingKey {
        name: name.to_owned(),
        circuit,
        tenant: TenantId::new(tenant).unwrap(),
        now: 1,
    }
}

fn revoke(key: &str) -> Command {
    Command::RevokeVerifyingKey {
        key: facts(key).key_digest,
        reason: "the circuit is under-constrained".to_owned(),
        now: 77,
    }
}

fn published(version: u32, created: bool) -> Outcome {
    Outcome::VerifyingKeyPublished { version, created }
}

/// Two ready circuits of one plugin with different keys.
fn with_two() -> (Ledger, CircuitId, CircuitId) {
    let (mut ledger, first) = Ledger::with_circuit();
    let command = ledger.circuit_command("component", "other", 202);
    let _ = ledger.apply(&command);
    let attempt = ledger.lease(202, "preparer");
    ledger.complete(attempt, "preparer", Completion::CircuitPrepared(facts("b")));
    let second = CircuitId::of(&digest("component"), &digest("other"));
    (ledger, first, second)
}

#[test]
fn a_rotation_keeps_the_keys_before_it() {
    let (mut ledger, first, second) = with_two();
    assert_eq!(
        ledger.apply(&publish("votes", first, "a")),
        published(1, true)
    );
    assert_eq!(
        ledger.apply(&publish("votes", first, "a")),
        published(1, false)
    );
    assert_eq!(
        ledger.apply(&publish("votes", second, "a")),
        published(2, true)
    );
    let name = ledger.state.verifying_key_named("votes").unwrap();
    let versions: Vec<_> = name
        .versions
        .iter()
        .map(|v| (v.version, v.circuit))
        .collect();
    assert_eq!(versions, [(1, first), (2, second)]);
    assert_eq!(name.versions[1].key, facts("b").key_digest);
    assert_eq!(ledger.state.verifying_keys().count(), 1);
    // Back again is a rotation too.
    assert_eq!(
        ledger.apply(&publish("votes", first, "a")),
        published(3, true)
    );
}

#[test]
fn only_what_has_a_key_is_published_and_only_under_ones_own_name() {
    let (mut ledger, first, _) = with_two();
    let _ = ledger.apply(&publish("votes", first, "a"));
    let foreign = ledger.refusal(&publish("votes", first, "b"));
    assert_eq!(foreign.code(), "verifying_key.name_taken");
    for bad in ["", "Votes", "../x"] {
        let refusal = ledger.refusal(&publish(bad, first, "a"));
        assert_eq!(refusal.code(), "verifying_key.name", "{bad:?}");
    }
    let unknown = CircuitId::from_bytes([9; 16]);
    let refusal = ledger.refusal(&publish("votes", unknown, "a"));
    assert_eq!(refusal, Refusal::UnknownCircuit(unknown));
    let command = ledger.circuit_command("component", "third", 203);
    let _ = ledger.apply(&command);
    let preparing = CircuitId::of(&digest("component"), &digest("third"));
    let refusal = ledger.refusal(&publish("votes", preparing, "a"));
    assert_eq!(refusal, Refusal::CircuitPreparing(preparing));
    let attempt = ledger.lease(203, "preparer");
    let _ = ledger.fail(attempt, "preparer", "limits.cost", false);
    let refusal = ledger.refusal(&publish("votes", preparing, "a"));
    assert_eq!(refusal.code(), "circuit.rejected");
    let _ = ledger.apply(&revoke("a"));
    assert_eq!(
        ledger.refusal(&publish("votes", first, "a")).code(),
        codes::VERIFYING_KEY_REVOKED
    );
}

#[test]
fn a_revoked_key_refuses_submissions_and_fails_what_waits_for_it() {
    let (mut ledger, first, second) = with_two();
    for (task, circuit) in [(1, first), (2, first), (3, second), (4, first)] {
        let command = ledger.submit_command(circuit, task);
        let _ = ledger.apply(&command);
    }
    let running = ledger.lease(1, "w");
    let done = ledger.lease(4, "w");
    ledger.complete(done, "w", proved("proof"));
    let outcome = ledger.apply(&revoke("a"));
    let stop = vec![running];
    assert_eq!(outcome, Outcome::VerifyingKeyRevoked { stop, failed: 2 });
    for (task, phase) in [
        (1, TaskPhase::Failed),
        (2, TaskPhase::Failed),
        (3, TaskPhase::Queued),
        (4, TaskPhase::Done),
    ] {
        assert_eq!(ledger.task(task_id(task)).phase(), phase, "task {task}");
    }
    let problem = ledger.task(task_id(2)).problem().unwrap().clone();
    assert_eq!(problem.code, codes::VERIFYING_KEY_REVOKED);
    assert!(
        problem.detail.contains("under-constrained"),
        "{}",
        problem.detail
    );
    let submit = ledger.submit_command(first, 5);
    let refusal = ledger.refusal(&submit);
    assert!(
        matches!(refusal, Refusal::VerifyingKeyRevoked { at: 77, .. }),
        "{refusal}"
    );
    let late = ledger.complete_command(running, "w", proved("late"));
    assert!(matches!(
        ledger.refusal(&late),
        Refusal::TaskFinished { .. }
    ));
}

#[test]
fn a_revocation_stays_as_it_was_made() {
    let (mut ledger, ..) = with_two();
    let _ = ledger.apply(&revoke("a"));
    let again = Command::RevokeVerifyingKey {
        key: facts("a").key_digest,
        reason: "another reason".to_owned(),
        now: 99,
    };
    let nothing = Outcome::VerifyingKeyRevoked {
        stop: vec![],
        failed: 0,
    };
    assert_eq!(ledger.apply(&again), nothing);
    let revocation = ledger.state.revocation(&facts("a").key_digest).unwrap();
    assert_eq!(
        (revocation.at, revocation.reason.contains("under")),
        (77, true)
    );
    assert_eq!(ledger.state.revocations().count(), 1);
    assert_eq!(ledger.refusal(&revoke("z")).code(), "verifying_key.unknown");
    let long = Command::RevokeVerifyingKey {
        key: facts("b").key_digest,
        reason: "x".repeat(REASON_BYTES_MAX + 1),
        now: 1,
    };
    assert_eq!(ledger.refusal(&long).code(), "limits.ledger");
}

#[test]
fn a_circuit_that_turns_out_to_have_a_revoked_key_fails_who_waits_for_it() {
    let (mut ledger, ..) = with_two();
    let _ = ledger.apply(&revoke("a"));
    let command = ledger.circuit_command("component", "third", 203);
    let _ = ledger.apply(&command);
    let third = CircuitId::of(&digest("component"), &digest("third"));
    let command = ledger.submit_command(third, 1);
    let _ = ledger.apply(&command);
    let attempt = ledger.lease(203, "preparer");
    ledger.complete(attempt, "preparer", Completion::CircuitPrepared(facts("a")));
    let problem = ledger.task(task_id(1)).problem().unwrap().clone();
    assert_eq!(problem.code, codes::VERIFYING_KEY_REVOKED);
}

//! The log: every accepted proof has one leaf, the same on every member, and no leaf tells what was
//! proved.

use aureole_ledger::{Acceptance, Command, Completion, LogLeaf, Outcome, Salt, State};
use aureole_receipts::{Tree, commit};

use crate::kit::{Ledger, digest, facts, proved, task_id};

fn log_digest(digest: aureole_ledger::Digest) -> aureole_receipts::Digest {
    aureole_receipts::Digest::from_bytes(*digest.as_bytes())
}

/// Completes a leased proof with a salt and a verifier.
fn accept(ledger: &mut Ledger, command: Command, salt: u8) -> Option<Box<LogLeaf>> {
    let command = accepting(command, salt);
    match ledger.apply(&command) {
        Outcome::Completed { leaf, .. } => leaf,
        other => panic!("{other:?}"),
    }
}

fn accepting(mut command: Command, byte: u8) -> Command {
    if let Command::CompleteTask { acceptance, .. } = &mut command {
        *acceptance = Acceptance {
            verifier: "aureole 0.1.0".to_owned(),
            salt: Salt::from_bytes([byte; 32]),
        };
    }
    command
}

#[test]
fn an_accepted_proof_has_a_leaf_that_says_what_was_accepted() {
    let mut ledger = Ledger::with_proof();
    ledger.now = 5_000;
    let attempt = ledger.lease(1, "w");
    ledger.now = 9_000;
    let complete = ledger.complete_command(attempt, "w", proved("proof"));
    let appended = accept(&mut ledger, complete, 7).unwrap();
    let leaf = &appended.leaf;
    let task = ledger.task(task_id(1));
    assert_eq!(appended.index, 0);
    assert_eq!(leaf.task.as_bytes(), task.id.as_bytes());
    assert_eq!(leaf.circuit, log_digest(facts("a").circuit_digest));
    assert_eq!(leaf.key, log_digest(facts("a").key_digest));
    assert_eq!(leaf.proof, log_digest(digest("proof")));
    assert_eq!(
        (leaf.submitted_ms, leaf.finished_ms),
        (task.submitted_at, 9_000)
    );
    let inputs = log_digest(digest("public inputs"));
    assert_eq!(
        leaf.public_inputs,
        commit(&Salt::from_bytes([7; 32]), &inputs)
    );
    let verifier = aureole_ledger::Digest::from_bytes(*leaf.verifier.as_bytes());
    assert_eq!(ledger.state.build(&verifier), Some("aureole 0.1.0"));
    let accepted = task.accepted.unwrap();
    assert_eq!(
        (accepted.leaf, accepted.salt),
        (0, Salt::from_bytes([7; 32]))
    );
    let mut tree = Tree::new();
    tree.append(leaf.hash()).unwrap();
    assert_eq!(ledger.state.log(), &tree);
}

#[test]
fn the_same_public_inputs_look_like_nothing_known_in_the_log() {
    let mut leaves = Vec::new();
    for salt in [1, 2] {
        let mut ledger = Ledger::with_proof();
        let attempt = ledger.lease(1, "w");
        let complete = ledger.complete_command(attempt, "w", proved("proof"));
        leaves.push(accept(&mut ledger, complete, salt).unwrap().leaf);
    }
    assert_ne!(leaves[0].public_inputs, leaves[1].public_inputs);
    let plain = log_digest(digest("public inputs"));
    let encoded: Vec<u8> = leaves
        .iter()
        .flat_map(aureole_receipts::Leaf::encode)
        .collect();
    assert!(!encoded.windows(32).any(|window| window == plain.as_bytes()));
}

#[test]
fn a_completion_sent_again_with_another_salt_has_no_second_leaf() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    let complete = ledger.complete_command(attempt, "w", proved("proof"));
    assert!(accept(&mut ledger, complete.clone(), 1).is_some());
    let log = ledger.state.log().clone();
    assert_eq!(accept(&mut ledger, complete, 2), None);
    assert_eq!(ledger.state.log(), &log);
    let accepted = ledger.task(task_id(1)).accepted.unwrap();
    assert_eq!(accepted.salt, Salt::from_bytes([1; 32]));
}

#[test]
fn what_is_no_accepted_proof_has_no_leaf() {
    let mut ledger = Ledger::with_proof();
    assert_eq!(
        ledger.state.log().size(),
        0,
        "an inspection and a preparation"
    );
    let attempt = ledger.lease(1, "w");
    let other = ledger.complete_command(attempt, "w", Completion::CircuitPrepared(facts("b")));
    let _ = ledger.refusal(&other);
    assert!(ledger.fail(attempt, "w", "proof.invalid", true));
    assert_eq!(ledger.state.log().size(), 0);
    assert_eq!(ledger.task(task_id(1)).accepted, None);
}

#[test]
fn the_log_is_part_of_the_state_and_outlives_its_tasks() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    let before = ledger.state.digest().unwrap();
    let complete = ledger.complete_command(attempt, "w", proved("proof"));
    let mut other = ledger.clone();
    let _ = accept(&mut ledger, complete.clone(), 1);
    let _ = accept(&mut other, complete, 2);
    assert_ne!(ledger.state.digest().unwrap(), before);
    assert_ne!(
        ledger.state.digest().unwrap(),
        other.state.digest().unwrap()
    );
    let log = ledger.state.log().clone();
    let forget = Command::ForgetTasks {
        tasks: vec![task_id(1)],
    };
    let _ = ledger.apply(&forget);
    assert_eq!(ledger.state.log(), &log);
    let decoded = State::decode(&ledger.state.encode().unwrap()).unwrap();
    assert_eq!(decoded.log(), &log);
}

//! Commands and states as bytes: exact, bounded, versioned, checked.

use aureole_ledger::limits::{COMMAND_BYTES_MAX, RENEWALS_MAX};
use aureole_ledger::{
    Acceptance, AttemptRef, Command, CommandError, Completion, Problem, Stage, State, StateError,
    WorkerId,
};

use crate::kit::{Ledger, digest, facts, task_id, worker};

fn longest_worker() -> WorkerId {
    worker(&"w".repeat(64))
}

#[test]
fn a_command_decodes_to_itself() {
    let command = Ledger::new().circuit_command("component", "params", 1);
    let bytes = command.encode().unwrap();
    assert_eq!(Command::decode(&bytes), Ok(command));
}

#[test]
fn the_format_of_commands_does_not_change() {
    let command = Command::CancelTask {
        task: task_id(0xaa),
        now: 300,
    };
    let expected = [&[4, 8][..], &[0xaa; 16], &[0xac, 0x02]].concat();
    assert_eq!(command.encode().unwrap(), expected);
}

#[test]
fn foreign_and_damaged_commands_are_refused() {
    let bytes = Ledger::new()
        .circuit_command("component", "params", 1)
        .encode()
        .unwrap();
    let mut newer = bytes.clone();
    newer[0] = 9;
    assert_eq!(
        Command::decode(&newer),
        Err(CommandError::Version { found: 9, known: 4 })
    );
    let mut older = bytes.clone();
    older[0] = 3;
    assert_eq!(
        Command::decode(&older),
        Err(CommandError::Version { found: 3, known: 4 }),
        "the fields of version 3 are others: it must never be read as this one"
    );
    older[0] = 3;
    assert!(matches!(
        Command::decode(&older),
        Err(CommandError::Version { found: 3, .. })
    ));
    let mut longer = bytes.clone();
    longer.push(0);
    for bad in [&[][..], &bytes[..bytes.len() - 1], &longer, &[4, 99]] {
        let error = Command::decode(bad).unwrap_err();
        assert!(matches!(error, CommandError::Malformed { .. }), "{error}");
    }
}

#[test]
fn the_largest_real_commands_fit() {
    let problem = Problem::new("c".repeat(99), "d".repeat(9999)).at("p".repeat(999));
    let timings = [
        Stage::Queue,
        Stage::Compile,
        Stage::Inspect,
        Stage::Keygen,
        Stage::Witness,
    ];
    let timings = timings.into_iter().map(|stage| (stage, u64::MAX)).collect();
    let fail = Command::FailAttempt {
        task: task_id(1),
        attempt: u32::MAX,
        worker: longest_worker(),
        problem,
        retryable: true,
        now: u64::MAX,
    };
    let complete = Command::CompleteTask {
        task: task_id(1),
        attempt: u32::MAX,
        worker: longest_worker(),
        completion: Completion::PluginInspected {
            name: "n".repeat(63),
            version: "v".repeat(64),
            description: digest("description"),
            default_params: Some(digest("params")),
            default_circuit: Some(facts("a")),
        },
        timings,
        now: u64::MAX,
        peak_memory_bytes: Some(u64::MAX),
        acceptance: Acceptance::none(),
    };
    let leases = vec![
        AttemptRef {
            task: task_id(1),
            attempt: u32::MAX
        };
        RENEWALS_MAX
    ];
    let renew = Command::RenewLeases {
        worker: longest_worker(),
        leases,
        expires_at: u64::MAX,
        now: u64::MAX,
    };
    for command in [fail, complete, renew] {
        let bytes = command.encode().unwrap();
        assert!(
            bytes.len() <= 2048,
            "{}: {} bytes",
            command.name(),
            bytes.len()
        );
    }
}

#[test]
fn a_command_over_four_kib_is_refused() {
    let completion = Completion::PluginInspected {
        name: "n".repeat(COMMAND_BYTES_MAX),
        version: String::new(),
        description: digest("description"),
        default_params: None,
        default_circuit: None,
    };
    let attempt = AttemptRef {
        task: task_id(1),
        attempt: 1,
    };
    let command = Ledger::new().complete_command(attempt, "w", completion);
    let error = command.encode().unwrap_err();
    assert!(
        matches!(error, CommandError::TooLarge { max: 4096, .. }),
        "{error}"
    );
}

#[test]
fn a_state_decodes_to_itself_and_plans_alike() {
    let mut ledger = Ledger::with_proof();
    let before = State::decode(&ledger.state.encode().unwrap()).unwrap();
    assert_eq!(before, ledger.state);
    assert_eq!(before.digest(), ledger.state.digest());
    let copy = Ledger {
        state: before,
        now: ledger.now,
    };
    assert_eq!(copy.plan(&[("w", 1)]), ledger.plan(&[("w", 1)]));
    ledger.lease(1, "w");
    assert_ne!(copy.state.digest(), ledger.state.digest());
}

#[test]
fn a_foreign_or_damaged_state_is_refused() {
    let bytes = Ledger::with_proof().state.encode().unwrap();
    let decode = |bytes: &[u8]| State::decode(bytes).unwrap_err();
    assert_eq!(decode(&bytes[..20]), StateError::Header { bytes: 20 });
    let mut foreign = bytes.clone();
    foreign[0] ^= 1;
    assert!(matches!(decode(&foreign), StateError::Header { .. }));
    let mut newer = bytes.clone();
    newer[9] = 7;
    assert_eq!(decode(&newer), StateError::Version { found: 7, known: 5 });
    newer[9] = 1;
    assert_eq!(decode(&newer), StateError::Version { found: 1, known: 5 });
    let last = bytes.len() - 1;
    for place in [12, 60, last] {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        assert!(
            matches!(decode(&damaged), StateError::Damaged { .. }),
            "at {place}"
        );
    }
    assert!(matches!(decode(&bytes[..last]), StateError::Damaged { .. }));
}

#[test]
fn a_state_with_the_right_digest_but_other_contents_is_refused() {
    let bytes = Ledger::with_proof().state.encode().unwrap();
    let with_body = |body: &[u8]| {
        let digest = aureole_ledger::Digest::of(body);
        [&bytes[..10], digest.as_bytes(), body].concat()
    };
    for body in [&[0xff; 3][..], &[&bytes[42..], &[0]].concat()] {
        let error = State::decode(&with_body(body)).unwrap_err();
        assert!(matches!(error, StateError::Malformed { .. }), "{error}");
    }
}

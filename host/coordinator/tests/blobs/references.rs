//! The list of what the ledger refers to leaves nothing out: every digest that stands in a record
//! is in it, but for those that are known to name no blob.

use std::collections::BTreeSet;

use aureole_coordinator::blobs::references;
use aureole_ledger::{
    Acceptance, CircuitId, Command, Completion, Digest, Idempotency, Outcome, Priority, Problem,
    State, TenantId, Timings, WorkerId,
};
use serde_json::Value;

use crate::town::{Town, task_id};

/// Fields whose digest is no blob's.
const NO_BLOBS: [&str; 5] = ["key_digest", "key", "request", "idempotency", "salt"];

fn digests(value: &Value, found: &mut BTreeSet<Digest>) {
    match value {
        Value::String(text) => found.extend(text.parse::<Digest>().ok()),
        Value::Array(items) => items.iter().for_each(|item| digests(item, found)),
        Value::Object(fields) => {
            let named = fields
                .iter()
                .filter(|(name, _)| !NO_BLOBS.contains(&name.as_str()));
            named.for_each(|(_, value)| digests(value, found));
        }
        _ => {}
    }
}

/// Every digest in the records, but the inputs of tasks that have ended.
fn in_records(state: &State) -> BTreeSet<Digest> {
    let mut found = BTreeSet::new();
    let mut all: Vec<Value> = Vec::new();
    all.extend(
        state
            .plugins()
            .map(|one| serde_json::to_value(one).unwrap()),
    );
    all.extend(
        state
            .circuits()
            .map(|one| serde_json::to_value(one).unwrap()),
    );
    for task in state.tasks() {
        let mut value = serde_json::to_value(task).unwrap();
        if task.is_finished()
            && let Some(fields) = value.pointer_mut("/kind/Prove")
        {
            fields.as_object_mut().unwrap().remove("input");
        }
        all.push(value);
    }
    all.iter().for_each(|value| digests(value, &mut found));
    found
}

fn referenced(state: &State) -> BTreeSet<Digest> {
    references(state).into_iter().collect()
}

#[tokio::test]
async fn every_blob_that_a_record_names_is_referred_to() {
    let mut town = Town::of(1).await;
    town.make_ready().await;
    let mut state = town.member(1).coordinator.read(State::clone);
    let circuit = CircuitId::of(&Digest::of(b"component"), &Digest::of(b"params"));
    let worker = WorkerId::new("w").unwrap();
    let blob = |name: &str| Digest::of(name.as_bytes());
    let ends = [
        None,
        Some(Ok(Completion::Proved {
            proof: blob("proof"),
            public_inputs: blob("public inputs"),
        })),
        Some(Err(
            Problem::new("witness.unsatisfied", "so").with_report(blob("failed"))
        )),
    ];
    for (number, end) in (1_u8..).zip(ends) {
        let (task, now, attempt) = (task_id(number), 2_000_000, 1);
        let mut commands = vec![
            Command::SubmitTask {
                task,
                circuit,
                input: blob(&format!("input {number}")),
                priority: Priority::DEFAULT,
                idempotency: Some(Idempotency {
                    key: blob(&format!("idempotency {number}")),
                    request: blob("request"),
                }),
                now,
                tenant: TenantId::default(),
                deadline: None,
                input_bytes: 0,
            },
            Command::LeaseTask {
                task,
                attempt,
                worker: worker.clone(),
                expires_at: u64::MAX,
                now,
                threads: 1,
                memory_bytes: 0,
                speculative: false,
            },
        ];
        let worker = worker.clone();
        match end {
            None => {}
            Some(Ok(completion)) => commands.push(Command::CompleteTask {
                task,
                attempt,
                worker,
                completion,
                timings: Timings::new(),
                now,
                peak_memory_bytes: None,
                acceptance: Acceptance::none(),
            }),
            Some(Err(problem)) => commands.push(Command::FailAttempt {
                task,
                attempt,
                worker,
                problem,
                retryable: false,
                now,
            }),
        }
        for command in commands {
            let outcome = state.apply(&command);
            assert!(!matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
            assert_eq!(
                referenced(&state),
                in_records(&state),
                "after {}",
                command.name()
            );
        }
    }
    let all = referenced(&state);
    for name in [
        "component",
        "report",
        "proof",
        "public inputs",
        "failed",
        "input 1",
    ] {
        assert!(all.contains(&blob(name)), "{name}");
    }
    assert!(!all.contains(&blob("input 2")), "its task has ended");

    // A retired plugin's component goes when the last task that needs it has ended.
    let retired = state.apply(&Command::RetirePlugin {
        component: blob("component"),
        now: 2_000_000,
        tenant: None,
        actor: "operator".to_owned(),
    });
    assert!(matches!(retired, Outcome::PluginRetired { .. }));
    let has = |state: &State| referenced(state).contains(&blob("component"));
    assert!(has(&state), "task 1 runs");
    let cancelled = state.apply(&Command::CancelTask {
        task: task_id(1),
        now: 2_000_000,
    });
    assert!(!matches!(cancelled, Outcome::Refused(_)));
    assert!(!has(&state), "nobody needs it");
    assert!(referenced(&state).contains(&blob("report")), "proofs stay");
}

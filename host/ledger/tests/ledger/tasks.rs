//! Tasks: submitted once, cancelled in time, forgotten when finished.

use aureole_ledger::limits::FORGET_MAX;
use aureole_ledger::{
    CircuitId, Command, CommandError, Idempotency, Outcome, Priority, Refusal, Stage, TaskId,
    TaskPhase, TenantId, codes,
};

use crate::kit::{Ledger, digest, idempotency, proved, task_id};

fn keyed(ledger: &Ledger, circuit: CircuitId, task: u8, key: Idempotency) -> Command {
    Command::SubmitTask {
        task: task_id(task),
        circuit,
        input: digest(&format!("sealed for {task}")),
        priority: Priority::DEFAULT,
        idempotency: Some(key),
        now: ledger.now,
        tenant: TenantId::default(),
        deadline: None,
        input_bytes: 0,
    }
}

#[test]
fn the_same_submission_is_one_task() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let command = ledger.submit_command(circuit, 1);
    assert_eq!(
        ledger.apply(&command),
        Outcome::TaskSubmitted {
            task: task_id(1),
            created: true
        }
    );
    assert_eq!(
        ledger.apply(&command),
        Outcome::TaskSubmitted {
            task: task_id(1),
            created: false
        }
    );
    let other = Command::SubmitTask {
        task: task_id(1),
        circuit,
        input: digest("another input"),
        priority: Priority::DEFAULT,
        idempotency: None,
        now: 0,
        tenant: TenantId::default(),
        deadline: None,
        input_bytes: 0,
    };
    assert_eq!(ledger.refusal(&other), Refusal::TaskExists(task_id(1)));
}

#[test]
fn an_idempotency_key_stands_for_one_request() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let first = keyed(&ledger, circuit, 1, idempotency("key", "request"));
    let again = keyed(&ledger, circuit, 2, idempotency("key", "request"));
    let other = keyed(&ledger, circuit, 3, idempotency("key", "other request"));
    let one = task_id(1);
    assert_eq!(
        ledger.apply(&first),
        Outcome::TaskSubmitted {
            task: one,
            created: true
        }
    );
    assert_eq!(
        ledger.apply(&again),
        Outcome::TaskSubmitted {
            task: one,
            created: false
        }
    );
    assert_eq!(
        ledger.refusal(&other),
        Refusal::IdempotencyConflict { task: one }
    );
}

#[test]
fn a_forgotten_task_frees_its_idempotency_key() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let first = keyed(&ledger, circuit, 1, idempotency("key", "request"));
    let _ = ledger.apply(&first);
    let cancel = ledger.cancel_command(1);
    let _ = ledger.apply(&cancel);
    let forget = Command::ForgetTasks {
        tasks: vec![task_id(1)],
    };
    assert_eq!(ledger.apply(&forget), Outcome::Forgotten { count: 1 });
    let again = keyed(&ledger, circuit, 2, idempotency("key", "other request"));
    assert_eq!(
        ledger.apply(&again),
        Outcome::TaskSubmitted {
            task: task_id(2),
            created: true
        }
    );
}

#[test]
fn only_finished_tasks_are_forgotten() {
    let mut ledger = Ledger::with_proof();
    let forget = Command::ForgetTasks {
        tasks: vec![task_id(1), task_id(200), task_id(99)],
    };
    assert_eq!(ledger.apply(&forget), Outcome::Forgotten { count: 1 });
    assert!(ledger.state.task(&task_id(1)).is_some());
    assert!(ledger.state.task(&task_id(200)).is_none());
    let cancel = ledger.cancel_command(200);
    assert_eq!(ledger.refusal(&cancel), Refusal::UnknownTask(task_id(200)));
}

#[test]
fn a_queued_task_is_cancelled_for_good() {
    let mut ledger = Ledger::with_proof();
    let cancel = ledger.cancel_command(1);
    assert_eq!(ledger.apply(&cancel), Outcome::Cancelled { stop: vec![] });
    assert_eq!(ledger.apply(&cancel), Outcome::Cancelled { stop: vec![] });
    assert_eq!(ledger.task(task_id(1)).phase(), TaskPhase::Cancelled);
    assert!(ledger.plan(&[("w", 1)]).is_empty());
}

#[test]
fn cancelling_a_running_task_names_the_attempt_to_stop() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    let cancel = ledger.cancel_command(1);
    assert_eq!(
        ledger.apply(&cancel),
        Outcome::Cancelled {
            stop: vec![attempt]
        }
    );
    let record = &ledger.task(task_id(1)).attempts[0];
    assert_eq!(record.ended_at, Some(ledger.now));
    assert_eq!(record.problem.as_ref().unwrap().code, codes::CANCELLED);
    let late = ledger.complete_command(attempt, "w", proved("proof"));
    let phase = TaskPhase::Cancelled;
    assert_eq!(
        ledger.refusal(&late),
        Refusal::TaskFinished {
            task: task_id(1),
            phase
        }
    );
}

#[test]
fn a_cancel_never_unfinishes() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    ledger.complete(attempt, "w", proved("proof"));
    let cancel = ledger.cancel_command(1);
    let phase = TaskPhase::Done;
    assert_eq!(
        ledger.refusal(&cancel),
        Refusal::TaskFinished {
            task: task_id(1),
            phase
        }
    );
    assert_eq!(ledger.task(task_id(1)).completion(), Some(&proved("proof")));
}

#[test]
fn a_finished_task_knows_how_long_it_queued() {
    let mut ledger = Ledger::with_proof();
    ledger.now += 250;
    let attempt = ledger.lease(1, "w");
    ledger.now += 1000;
    ledger.complete(attempt, "w", proved("proof"));
    let task = ledger.task(task_id(1));
    assert_eq!(task.timings[&Stage::Queue], 250_000);
    assert_eq!(task.finished_at, Some(ledger.now));
    assert_eq!(task.attempts[0].ended_at, Some(ledger.now));
}

#[test]
fn finished_tasks_are_listed_in_the_order_they_ended() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    for task in [3, 1, 2] {
        let command = ledger.submit_command(circuit, task);
        let _ = ledger.apply(&command);
        ledger.now += 1;
        let cancel = ledger.cancel_command(task);
        let _ = ledger.apply(&cancel);
    }
    let ids: Vec<TaskId> = ledger.state.finished_tasks().map(|task| task.id).collect();
    assert_eq!(ids, [200, 201, 3, 1, 2].map(task_id));
}

#[test]
fn a_command_that_names_too_many_tasks_is_not_proposed() {
    let forget = Command::ForgetTasks {
        tasks: vec![task_id(1); FORGET_MAX + 1],
    };
    let max = FORGET_MAX as u64;
    assert_eq!(
        forget.encode(),
        Err(CommandError::TooMany {
            items: max + 1,
            max
        })
    );
}

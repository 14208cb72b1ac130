//! Plans: what is due, in which order, to whom.

use aureole_ledger::limits::{MEMORY_ASSUMED_BYTES, PLAN_MAX};
use aureole_ledger::{Command, Expiry, Outcome, Priority, TenantId};

use crate::kit::{LEASE_MS, Ledger, digest, task_id, worker};

fn submit(ledger: &mut Ledger, circuit: aureole_ledger::CircuitId, task: u8, priority: u8) {
    let command = Command::SubmitTask {
        task: task_id(task),
        circuit,
        input: digest("input"),
        priority: Priority::new(priority).unwrap(),
        idempotency: None,
        now: ledger.now,
        tenant: TenantId::default(),
        deadline: None,
        input_bytes: 0,
    };
    assert!(matches!(
        ledger.apply(&command),
        Outcome::TaskSubmitted { .. }
    ));
}

#[test]
fn nothing_is_planned_without_work_or_workers() {
    assert!(Ledger::new().plan(&[("w", 8)]).is_empty());
    assert!(Ledger::with_proof().plan(&[]).is_empty());
    assert!(Ledger::with_proof().plan(&[("w", 0)]).is_empty());
}

#[test]
fn priority_goes_before_age_and_inspections_before_all() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    submit(&mut ledger, circuit, 1, 5);
    ledger.now += 1;
    submit(&mut ledger, circuit, 2, 9);
    submit(&mut ledger, circuit, 3, 0);
    ledger.now += 1;
    submit(&mut ledger, circuit, 4, 5);
    let command = ledger.circuit_command("component", "others", 5);
    let _ = ledger.apply(&command);
    let _ = ledger.register_plugin("late", 6);
    assert_eq!(ledger.planned(&[("w", 9)]), [6, 5, 2, 1, 4, 3].map(task_id));
}

#[test]
fn a_retried_task_keeps_its_place() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    submit(&mut ledger, circuit, 1, 5);
    ledger.now += 1;
    submit(&mut ledger, circuit, 2, 5);
    let attempt = ledger.lease(1, "w");
    assert!(ledger.fail(attempt, "w", "worker.crashed", true));
    assert_eq!(ledger.planned(&[("w", 2)]), [task_id(2)]);
    ledger.now += 60_000;
    assert_eq!(ledger.planned(&[("w", 2)]), [task_id(1), task_id(2)]);
}

#[test]
fn tasks_go_to_the_worker_with_most_free_slots() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    for task in 1..=6 {
        submit(&mut ledger, circuit, task, 5);
    }
    ledger.lease(6, "big");
    let to: Vec<String> = ledger
        .plan(&[("big", 3), ("small", 1), ("full", 0)])
        .iter()
        .map(|command| match command {
            Command::LeaseTask { worker, .. } => worker.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(to, ["big", "big", "small"]);
}

#[test]
fn a_lease_lasts_as_long_as_the_options_say() {
    let ledger = Ledger::with_proof();
    let expected = Command::LeaseTask {
        task: task_id(1),
        attempt: 1,
        worker: worker("w"),
        expires_at: ledger.now + LEASE_MS,
        now: ledger.now,
        threads: 1,
        memory_bytes: MEMORY_ASSUMED_BYTES,
        speculative: false,
    };
    assert_eq!(ledger.plan(&[("w", 1)]), [expected]);
}

#[test]
fn a_lease_past_its_deadline_is_taken_away() {
    let mut ledger = Ledger::with_proof();
    let attempt = ledger.lease(1, "w");
    assert_eq!(
        ledger.state.next_deadline(ledger.now),
        Some(ledger.now + LEASE_MS)
    );
    ledger.now += LEASE_MS - 1;
    assert!(ledger.plan(&[]).is_empty());
    ledger.now += 1;
    assert_eq!(
        ledger.plan(&[]),
        [ledger.expire_command(attempt, Expiry::Deadline)]
    );
}

#[test]
fn a_plan_is_short_and_the_next_one_goes_on() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let many = u8::try_from(PLAN_MAX).unwrap() + 10;
    for task in 1..=many {
        submit(&mut ledger, circuit, task, 5);
    }
    let plan = ledger.plan(&[("w", 200)]);
    assert_eq!(plan.len(), PLAN_MAX);
    for command in &plan {
        assert_eq!(ledger.apply(command), Outcome::Leased);
    }
    assert_eq!(ledger.plan(&[("w", 200)]).len(), 10);
    assert_eq!(ledger.state.running_count(), PLAN_MAX as u64);
}

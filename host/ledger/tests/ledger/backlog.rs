//! What waits, in numbers.

use std::collections::BTreeMap;

use aureole_ledger::{Command, Expiry, Priority, TenantId, WorkerView};

use crate::kit::{LEASE_MS, Ledger, task_id, view};

fn depths(ledger: &Ledger) -> Vec<(String, u8, u64, u64)> {
    let depths = ledger.state.backlog(1).depths.into_iter();
    depths
        .map(|depth| {
            let tenant = depth.tenant.to_string();
            (tenant, depth.priority.level(), depth.tasks, depth.oldest_at)
        })
        .collect()
}

fn work(ledger: &Ledger, threads: u32) -> BTreeMap<String, u64> {
    let work = ledger.state.backlog(threads).work_ms.into_iter();
    work.map(|(tenant, ms)| (tenant.to_string(), ms)).collect()
}

fn one() -> [WorkerView; 1] {
    [view("w", 1, 1, 0)]
}

#[test]
fn queued_tasks_count_by_tenant_and_priority_with_the_oldest() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let first = ledger.now;
    for task in [1, 2] {
        ledger.submit_as("acme", circuit, task_id(task));
        ledger.now += 500;
    }
    let urgent = Command::SubmitTask {
        task: task_id(3),
        circuit,
        input: crate::kit::digest("input"),
        priority: Priority::HIGHEST,
        idempotency: None,
        now: ledger.now,
        tenant: TenantId::default(),
        deadline: None,
        input_bytes: 0,
    };
    let _ = ledger.apply(&urgent);
    let expected = [
        ("acme".to_owned(), 5, 2, first),
        ("default".to_owned(), 9, 1, ledger.now),
    ];
    assert_eq!(depths(&ledger), expected);
}

#[test]
fn a_leased_task_leaves_the_queue_and_a_lost_one_is_back_with_its_age() {
    let mut ledger = Ledger::with_proof();
    let submitted = ledger.now;
    let attempt = ledger.lease(1, "w");
    assert_eq!(
        (depths(&ledger), work(&ledger, 1)),
        (vec![], BTreeMap::new())
    );
    ledger.now += LEASE_MS;
    let lost = ledger.expire_command(attempt, Expiry::Deadline);
    let _ = ledger.apply(&lost);
    // It has a back-off now, and still waits since it was submitted.
    assert_eq!(depths(&ledger), [("default".to_owned(), 5, 1, submitted)]);
    assert!(work(&ledger, 1)["default"] > 0);
}

#[test]
fn queued_work_is_what_the_planner_estimates_for_each_task() {
    let (mut ledger, _) = Ledger::with_circuit();
    // Two seconds each on one thread: 200,000 units of ten microseconds.
    let circuit = ledger.add_circuit("timed", 1, 200_000);
    for task in 1..=3 {
        ledger.submit_as("acme", circuit, task_id(task));
    }
    let each = ledger
        .state
        .task(&task_id(1))
        .map(|task| task.kind)
        .unwrap();
    let each = ledger.state.estimate(&each, 1, true).duration_ms;
    assert_eq!((each, work(&ledger, 1)["acme"]), (2_000, 6_000));
    assert!(work(&ledger, 2)["acme"] < 6_000);
    let _ = ledger.run(&one());
    assert_eq!(work(&ledger, 1)["acme"], 4_000);
}

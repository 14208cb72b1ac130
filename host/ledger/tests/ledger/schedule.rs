//! Scheduling: who is next, where it goes, with how many threads.

use aureole_ledger::limits::{PRIORITY_STEP_MS, RESERVE_AFTER_MS, WEIGHT_MAX};
use aureole_ledger::{Command, Outcome, Priority, Refusal, TenantId, WorkerView};

use crate::kit::{Ledger, digest, proved, task_id, view, wide_id, worker};

const GIB: u64 = 1 << 30;

fn weight(tenant: &str, weight: u32) -> Command {
    Command::SetWeight {
        tenant: TenantId::new(tenant).unwrap(),
        weight,
    }
}

#[test]
fn a_flood_delays_another_tenants_first_task_by_one_running_task() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    for task in 0..1000 {
        ledger.submit_as("flood", circuit, wide_id(task));
    }
    let one = [view("w", 1, 1, 0)];
    for _ in 0..10 {
        let leased = ledger.run(&one);
        ledger.complete(leased[0].attempt, "w", proved("proof"));
    }
    let running = ledger.run(&one);
    ledger.submit_as("late", circuit, wide_id(2000));
    ledger.complete(running[0].attempt, "w", proved("proof"));
    assert_eq!(ledger.run(&one)[0].attempt.task, wide_id(2000));
}

#[test]
fn tenants_share_by_weight() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    assert_eq!(ledger.apply(&weight("large", 300)), Outcome::WeightSet);
    for task in 0..200 {
        ledger.submit_as("large", circuit, wide_id(task));
        ledger.submit_as("small", circuit, wide_id(1000 + task));
    }
    let one = [view("w", 1, 1, 0)];
    let mut large = 0;
    for _ in 0..100 {
        let attempt = ledger.run(&one)[0].attempt;
        large += u32::from(attempt.task < wide_id(1000));
        ledger.complete(attempt, "w", proved("proof"));
    }
    assert!((74..=76).contains(&large), "{large} of 100");
}

#[test]
fn a_weight_of_none_or_too_much_is_refused() {
    let mut ledger = Ledger::new();
    for wrong in [0, WEIGHT_MAX + 1] {
        let refusal = ledger.refusal(&weight("t", wrong));
        assert!(matches!(refusal, Refusal::Limit { .. }), "{refusal}");
    }
}

#[test]
fn thousands_of_tenants_leave_no_trace_once_they_owe_nothing() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let one = [view("w", 1, 1, 0)];
    for task in 0..3000 {
        ledger.submit_as(&format!("t{task}"), circuit, wide_id(task));
        let attempt = ledger.run(&one)[0].attempt;
        ledger.complete(attempt, "w", proved("proof"));
    }
    let bytes = ledger.state.encode().unwrap().len();
    let tasks: Vec<_> = (0..3000).map(wide_id).collect();
    for tasks in tasks.chunks(100) {
        let _ = ledger.apply(&Command::ForgetTasks {
            tasks: tasks.to_vec(),
        });
    }
    let left = ledger.state.encode().unwrap().len();
    assert!(left < 32 * 1024, "{left} of {bytes} bytes are left");
}

#[test]
fn a_low_priority_is_overtaken_for_a_bounded_time_only() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let submit = |ledger: &mut Ledger, task: u16, priority| {
        let _ = ledger.apply(&Command::SubmitTask {
            task: wide_id(task),
            circuit,
            input: digest("input"),
            priority,
            idempotency: None,
            now: ledger.now,
            tenant: TenantId::default(),
            deadline: None,
            input_bytes: 0,
        });
    };
    submit(&mut ledger, 1, Priority::LOWEST);
    ledger.now += 9 * PRIORITY_STEP_MS - 1;
    submit(&mut ledger, 2, Priority::HIGHEST);
    ledger.now += 2;
    submit(&mut ledger, 3, Priority::HIGHEST);
    let order: Vec<_> = ledger
        .run(&[view("w", 3, 3, 0)])
        .iter()
        .map(|leased| leased.attempt.task)
        .collect();
    assert_eq!(order, [2, 1, 3].map(wide_id));
}

#[test]
fn a_lone_proof_has_all_cores_and_a_long_queue_one_each() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let large = [view("w", 8, 8, 0)];
    ledger.submit_as("t", circuit, wide_id(0));
    let lone = ledger.run(&large);
    assert_eq!(lone[0].threads, 8);
    ledger.submit_as("t", circuit, wide_id(1));
    let guest = ledger.run(&large);
    assert_eq!(guest[0].threads, 1, "a free slot is never left empty");
    for leased in [lone, guest].concat() {
        ledger.complete(leased.attempt, "w", proved("proof"));
    }
    for task in 10..30 {
        ledger.submit_as("t", circuit, wide_id(task));
    }
    let threads: Vec<u32> = ledger.run(&large).iter().map(|l| l.threads).collect();
    assert_eq!(threads, [1; 8]);
}

#[test]
fn a_few_proofs_divide_the_cores_of_all_workers() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    for task in 0..3 {
        ledger.submit_as("t", circuit, wide_id(task));
    }
    let workers = [view("a", 4, 4, 0), view("b", 4, 4, 0)];
    let leased: Vec<(String, u32)> = ledger
        .run(&workers)
        .into_iter()
        .map(|leased| (leased.worker, leased.threads))
        .collect();
    let expected = [("a", 2), ("b", 4), ("a", 2)].map(|(name, n)| (name.to_owned(), n));
    assert_eq!(leased, expected);
}

#[test]
fn a_warm_worker_is_preferred_unless_cores_would_idle() {
    let (mut ledger, circuit) = Ledger::with_circuit();
    let warm = |name: &str, cores| WorkerView {
        warm: [digest("a circuit")].into(),
        ..view(name, 8, cores, 0)
    };
    ledger.submit_as("t", circuit, wide_id(1));
    let to = |ledger: &Ledger, workers: &[WorkerView]| match &ledger.plan_on(workers)[0] {
        Command::LeaseTask { worker, .. } => worker.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        to(&ledger, &[view("cold", 8, 8, 0), warm("warm", 5)]),
        "warm"
    );
    assert_eq!(
        to(&ledger, &[view("cold", 8, 8, 0), warm("warm", 3)]),
        "cold"
    );
}

#[test]
fn memory_is_never_given_twice() {
    let (mut ledger, _) = Ledger::with_circuit();
    let circuit = ledger.add_circuit("large", 3 * GIB, 1000);
    for task in 0..4 {
        ledger.submit_as("t", circuit, wide_id(task));
    }
    let workers = [view("w", 8, 8, 7 * GIB), view("small", 8, 8, 2 * GIB)];
    let leased = ledger.run(&workers);
    assert_eq!(leased.len(), 2);
    assert!(
        leased
            .iter()
            .all(|l| l.worker == "w" && l.memory_bytes == 3 * GIB)
    );
    ledger.complete(leased[0].attempt, "w", proved("proof"));
    assert_eq!(ledger.run(&workers).len(), 1);
}

#[test]
fn a_large_task_gets_its_gap_though_small_ones_keep_coming() {
    let (mut ledger, _) = Ledger::with_circuit();
    let small = ledger.add_circuit("small", GIB, 1000);
    let large = ledger.add_circuit("large", 4 * GIB, 1000);
    let workers = [view("w", 4, 4, 4 * GIB)];
    let mut next = 0;
    let mut more = |ledger: &mut Ledger| {
        ledger.submit_as("others", small, wide_id(next));
        next += 1;
    };
    for _ in 0..4 {
        more(&mut ledger);
    }
    let mut running = ledger.run(&workers);
    ledger.submit_as("patient", large, task_id(199));
    for _ in 0..40 {
        ledger.now += RESERVE_AFTER_MS / 2;
        more(&mut ledger);
        let ended = running.remove(0);
        ledger.complete(ended.attempt, "w", proved("proof"));
        running.extend(ledger.run(&workers));
        for leased in &running {
            let renewed = Command::RenewLeases {
                worker: worker("w"),
                leases: vec![leased.attempt],
                expires_at: ledger.now + 10 * RESERVE_AFTER_MS,
                now: ledger.now,
            };
            let _ = ledger.state.apply(&renewed);
        }
        if running.iter().any(|leased| leased.memory_bytes == 4 * GIB) {
            assert_eq!(running.len(), 1);
            let next = ledger.state.reservation().map(|held| held.task);
            assert_ne!(next, Some(task_id(199)));
            return;
        }
    }
    panic!("the large task was never leased");
}

#[test]
fn a_reservation_ends_with_its_task_and_moves_when_its_worker_leaves() {
    let (mut ledger, _) = Ledger::with_circuit();
    let small = ledger.add_circuit("small", 2 * GIB, 1000);
    let large = ledger.add_circuit("large", 3 * GIB, 1000);
    let both = [view("a", 4, 4, 4 * GIB), view("b", 4, 4, 3 * GIB)];
    for task in 0..3 {
        ledger.submit_as("t", small, wide_id(task));
    }
    ledger.run(&both);
    ledger.submit_as("t", large, task_id(1));
    ledger.now += RESERVE_AFTER_MS;
    for worker_name in ["a", "b"] {
        let leases: Vec<_> = ledger.state.leases_of(&worker(worker_name)).collect();
        let _ = ledger.apply(&Command::RenewLeases {
            worker: worker(worker_name),
            leases,
            expires_at: ledger.now * 2,
            now: ledger.now,
        });
    }
    ledger.run(&both);
    let first = ledger.state.reservation().unwrap().worker.clone();
    let left: Vec<WorkerView> = both.iter().filter(|w| w.id != first).cloned().collect();
    ledger.run(&left);
    assert_eq!(ledger.state.reservation().unwrap().worker, left[0].id);
    let _ = ledger.apply(&ledger.cancel_command(1));
    assert_eq!(ledger.state.reservation(), None);
    let late = Command::ReserveWorker {
        task: task_id(1),
        worker: first,
    };
    assert_eq!(ledger.refusal(&late), Refusal::NotWaiting(task_id(1)));
    let unknown = Command::ReserveWorker {
        task: task_id(99),
        worker: worker("a"),
    };
    assert_eq!(ledger.refusal(&unknown), Refusal::UnknownTask(task_id(99)));
}

#[test]
fn draining_workers_and_foreign_provers_get_nothing() {
    let ledger = Ledger::with_proof();
    let draining = WorkerView {
        draining: true,
        ..view("w", 1, 1, 0)
    };
    let foreign = WorkerView {
        backends: ["kzg".to_owned()].into(),
        ..view("w", 1, 1, 0)
    };
    let ours = WorkerView {
        backends: ["halo2-ipa".to_owned()].into(),
        ..view("w", 1, 1, 0)
    };
    assert!(ledger.plan_on(&[draining, foreign]).is_empty());
    assert_eq!(ledger.plan_on(&[ours]).len(), 1);
}

#[test]
fn a_hundred_thousand_queued_tasks_do_not_slow_a_plan() {
    let mut times = Vec::new();
    for queued in [1_000_u32, 100_000] {
        let (mut ledger, circuit) = Ledger::with_circuit();
        for task in 0..queued {
            let mut id = [1; 16];
            id[..4].copy_from_slice(&task.to_be_bytes());
            let tenant = format!("t{}", task % 10);
            ledger.submit_as(&tenant, circuit, aureole_ledger::TaskId::from_bytes(id));
        }
        let workers: Vec<WorkerView> = (0..50).map(|n| view(&format!("w{n}"), 4, 4, 0)).collect();
        // The shortest of several: others use the machine too.
        let plans = (0..20).map(|_| {
            let start = std::time::Instant::now();
            assert!(!ledger.plan_on(&workers).is_empty());
            start.elapsed()
        });
        times.push(plans.min().unwrap());
    }
    eprintln!("a plan for 200 slots with 1,000 and with 100,000 tasks queued: {times:?}");
    assert!(times[1] < times[0] * 5, "{times:?}");
}

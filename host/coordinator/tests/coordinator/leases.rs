//! Leases: handed out at once, renewed by heartbeats, lost with their worker, given back.

use std::time::Duration;

use aureole_api::internal::v1;
use aureole_ledger::{Command, Outcome, TaskPhase, TenantId, codes};

use crate::kit::{KEY, LEASE, Node, PATIENCE, PROOF, Worker, attempt, attempt_of, task_id};

#[tokio::test]
async fn a_submission_wakes_the_planner_without_a_tick() {
    let node = Node::with(|config| config.tick = Duration::from_secs(3600)).await;
    crate::kit::make_ready(&node.coordinator).await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let lease = worker.lease().await;
    assert_eq!(attempt_of(&lease), attempt(1, 1));
    assert_eq!(lease.lease_ms, 10_000);
    let Some(v1::lease::Work::Prove(prove)) = lease.work else {
        panic!("{lease:?}")
    };
    assert_eq!(
        prove.component,
        aureole_ledger::Digest::of(b"component").as_bytes()
    );
    assert_eq!(
        prove.params,
        aureole_ledger::Digest::of(b"params").as_bytes()
    );
    assert_eq!(prove.circuit, crate::kit::facts().circuit_digest.as_bytes());
    assert_eq!(
        prove.input,
        aureole_ledger::Digest::of(b"sealed").as_bytes()
    );
    assert_eq!(prove.input_key, KEY);
}

#[tokio::test]
async fn a_worker_that_joins_finds_the_work_that_waits() {
    let node = Node::with(|config| config.tick = Duration::from_secs(3600)).await;
    let component = aureole_ledger::Digest::of(b"a");
    let command = Command::RegisterPlugin {
        component,
        bytes: 1,
        task: task_id(9),
        now: 1,
        tenant: TenantId::default(),
    };
    let _ = node.coordinator.propose(command).await.unwrap();
    let lease = node.join("w").await.lease().await;
    let Some(v1::lease::Work::InspectPlugin(inspect)) = lease.work else {
        panic!("{lease:?}")
    };
    assert_eq!(inspect.component, component.as_bytes());
}

#[tokio::test]
async fn a_freed_slot_takes_the_next_task() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    for task in [1, 2] {
        let _ = node.submit(task).await;
    }
    let first = worker.lease().await;
    assert_eq!(node.coordinator.read(|state| state.running_count()), 1);
    assert_eq!(worker.prove(&node, attempt_of(&first), PROOF).await, None);
    assert_eq!(attempt_of(&worker.lease().await), attempt(2, 1));
}

#[tokio::test]
async fn heartbeats_renew_a_lease_once_half_of_it_is_gone() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let held = attempt_of(&worker.lease().await);
    let expires_at = || node.task(1).lease().unwrap().expires_at;
    let first = expires_at();
    node.clock.pass(LEASE / 2 - Duration::from_millis(1));
    assert!(
        worker
            .heartbeat(std::slice::from_ref(&held))
            .await
            .is_empty()
    );
    assert_eq!(expires_at(), first);
    node.clock.pass(Duration::from_millis(2));
    assert!(
        worker
            .heartbeat(std::slice::from_ref(&held))
            .await
            .is_empty()
    );
    assert_eq!(expires_at(), first + 5001);
}

#[tokio::test]
async fn a_heartbeat_names_the_attempts_that_are_not_the_workers() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let held = attempt_of(&worker.lease().await);
    let foreign = attempt(200, 1);
    let lost = worker.heartbeat(&[held, foreign.clone()]).await;
    assert_eq!(lost, [foreign]);
}

#[tokio::test]
async fn a_silent_workers_lease_ends_and_another_worker_gets_the_task() {
    let node = Node::ready().await;
    let mut silent = node.join("silent").await;
    let _ = node.submit(1).await;
    silent.lease().await;
    let mut other = node.join("other").await;
    node.clock.pass(LEASE);
    node.until(1, |task| task.phase() == TaskPhase::Queued)
        .await;
    drop(silent);
    node.clock.pass(Duration::from_secs(1));
    assert_eq!(attempt_of(&other.lease().await), attempt(1, 2));
    let problem = node.task(1).attempts[0].problem.clone().unwrap();
    assert_eq!(problem.code, codes::LEASE_EXPIRED);
}

#[tokio::test]
async fn a_worker_that_comes_back_empty_handed_loses_its_leases_at_once() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    worker.lease().await;
    let _again = node.join("w").await;
    let task = node.task(1);
    assert_eq!((task.phase(), task.strikes), (TaskPhase::Queued, 1));
    assert_eq!(
        task.attempts[0].problem.as_ref().unwrap().code,
        codes::WORKER_RESTARTED
    );
}

#[tokio::test]
async fn a_worker_that_lost_its_stream_keeps_what_it_still_runs() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let held = attempt_of(&worker.lease().await);
    drop(worker);
    assert_eq!(node.task(1).phase(), TaskPhase::Running);
    let unknown = attempt(77, 1);
    let mut again = Worker::join(node.client(), "w", &[held.clone(), unknown.clone()]).await;
    assert_eq!(
        again.cancel().await,
        unknown,
        "what it does not hold it must stop"
    );
    assert_eq!(node.task(1).attempt, 1);
    assert_eq!(again.prove(&node, held, PROOF).await, None);
}

#[tokio::test]
async fn after_a_restart_of_the_whole_node_leases_are_free_at_once_and_count_nothing() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    worker.lease().await;
    drop(worker);
    let node = node.restart().await;
    assert_eq!(
        node.task(1).phase(),
        TaskPhase::Running,
        "its worker may still come back"
    );
    let mut worker = node.join("w").await;
    assert_eq!(
        attempt_of(&worker.lease().await),
        attempt(1, 2),
        "without a back-off"
    );
    let task = node.task(1);
    assert_eq!((task.strikes, task.returns), (0, 1));
    assert_eq!(
        task.attempts[0].problem.as_ref().unwrap().code,
        codes::NODE_RESTARTED
    );
}

#[tokio::test]
async fn a_lease_handed_back_goes_to_the_next_worker_at_once() {
    let node = Node::with(|config| config.tick = Duration::from_secs(3600)).await;
    crate::kit::make_ready(&node.coordinator).await;
    let mut first = node.join("first").await;
    let _ = node.submit(1).await;
    let held = attempt_of(&first.lease().await);
    let drain = v1::DrainRequest {
        worker_id: first.id.clone(),
    };
    first.client.drain(drain).await.unwrap();
    assert!(node.coordinator.workers()[0].draining);
    // Not retryable by its own words: handing back always is.
    first.fail(held, codes::HANDED_BACK, false).await;
    assert_eq!(
        node.task(1).phase(),
        TaskPhase::Queued,
        "a draining worker gets nothing"
    );
    let mut second = node.join("second").await;
    assert_eq!(attempt_of(&second.lease().await), attempt(1, 2));
    assert_eq!(node.task(1).strikes, 0);
}

#[tokio::test]
async fn a_quiet_coordinator_hands_out_nothing_but_takes_results() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    for task in [1, 2] {
        let _ = node.submit(task).await;
    }
    let held = attempt_of(&worker.lease().await);
    node.coordinator.quiesce();
    assert_eq!(worker.prove(&node, held, PROOF).await, None);
    assert_eq!(node.task(1).phase(), TaskPhase::Done);
    let next = tokio::time::timeout(Duration::from_millis(100), worker.stream.message()).await;
    assert!(next.is_err(), "{next:?}");
    assert_eq!(node.task(2).attempt, 0);
}

#[tokio::test]
async fn a_cancelled_task_is_stopped_at_its_worker() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let held = attempt_of(&worker.lease().await);
    let cancel = Command::CancelTask {
        task: task_id(1),
        now: 1,
    };
    let outcome = node.coordinator.propose(cancel).await.unwrap();
    assert!(matches!(outcome, Outcome::Cancelled { stop } if stop.len() == 1));
    assert_eq!(worker.cancel().await, held);
    let refused = worker.prove(&node, held, PROOF).await.unwrap();
    assert_eq!(refused.code, "task.finished");
    assert_eq!(node.task(1).phase(), TaskPhase::Cancelled);
}

#[tokio::test]
async fn a_failing_attempt_is_tried_again_after_its_back_off() {
    let node = Node::ready().await;
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    let held = attempt_of(&worker.lease().await);
    worker.fail(held.clone(), "prover.crashed", true).await;
    assert_eq!(node.task(1).phase(), TaskPhase::Queued);
    worker.fail(held, "prover.crashed", true).await;
    assert_eq!(node.task(1).strikes, 1, "a report sent twice counts once");
    node.clock.pass(Duration::from_secs(1));
    assert_eq!(attempt_of(&worker.lease().await), attempt(1, 2));
}

#[tokio::test]
async fn a_task_without_its_inputs_key_fails_and_one_whose_key_is_unreadable_is_retried() {
    let node = Node::ready().await;
    let _worker = node.join("w").await;
    let _ = node.submit(66).await;
    let lost = node.until(66, |task| task.is_finished()).await;
    assert_eq!(lost.problem().unwrap().code, "task.input_lost");
    let _ = node.submit(67).await;
    let retried = node.until(67, |task| task.strikes == 1).await;
    let problem = retried.attempts[0].problem.clone().unwrap();
    assert_eq!(problem.code, "node.input_key");
    assert!(
        !problem.detail.contains("fire"),
        "what the system said is for the log"
    );
}

#[tokio::test]
async fn a_worker_that_left_gets_nothing() {
    let node = Node::ready().await;
    drop(node.join("gone").await);
    let _ = node.submit(1).await;
    let mut worker = node.join("here").await;
    let lease = tokio::time::timeout(PATIENCE, worker.lease())
        .await
        .unwrap();
    assert_eq!(lease.attempt.unwrap().task_id, task_id(1).as_bytes());
    assert_eq!(node.task(1).strikes, 0);
    assert_eq!(node.coordinator.workers().len(), 1);
}

#[tokio::test]
async fn a_wall_clock_set_under_the_leader_neither_ends_a_lease_nor_keeps_it() {
    let hours = 2 * 3_600_000;
    for set in [hours, -hours] {
        let node = Node::ready().await;
        let mut worker = node.join("w").await;
        let _ = node.submit(1).await;
        worker.lease().await;
        node.clock.set(set);
        node.clock.pass(LEASE / 2);
        let _ = node.submit(2).await;
        assert_eq!(node.task(1).phase(), TaskPhase::Running, "set by {set} ms");
        // A twentieth is what the ledger's time may be behind a stopwatch.
        node.clock.pass(LEASE / 2 + LEASE / 10);
        node.until(1, |task| task.phase() == TaskPhase::Queued)
            .await;
    }
}

#[tokio::test]
async fn a_member_whose_clock_is_behind_the_facts_goes_on_from_them() {
    let node = Node::ready().await;
    node.clock.pass(Duration::from_secs(3600));
    let mut worker = node.join("w").await;
    let _ = node.submit(1).await;
    worker.lease().await;
    let known = node.coordinator.read(aureole_ledger::State::time);
    node.clock.set(-3_600_000);
    let node = node.restart().await;
    assert!(node.coordinator.now() >= known);
    // The new reign renews what it inherits; nobody knows at which moment.
    for _ in 0..3 * LEASE.as_secs() {
        node.clock.pass(Duration::from_secs(1));
        let queued = |view: &aureole_coordinator::TaskView| view.task.phase() == TaskPhase::Queued;
        let patience = Duration::from_millis(50);
        let seen = node
            .coordinator
            .wait_task(task_id(1), queued, patience)
            .await;
        if queued(&seen.unwrap()) {
            return;
        }
    }
    panic!("the lease outlived three of its length: {:?}", node.task(1));
}

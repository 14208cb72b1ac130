//! Restarts: the same facts by snapshot and log, and a folder is one coordinator's.

use std::sync::Arc;

use aureole_coordinator::{ProposeError, StartError};
use aureole_ledger::{Command, Outcome};

use crate::kit::{Node, config, make_ready, start, submit, task_id};

#[tokio::test]
async fn a_restart_continues_with_equal_facts() {
    let node = Node::ready().await;
    for task in 1..=20 {
        let _ = node.submit(task).await;
    }
    let before = node.coordinator.state_digest().unwrap();
    let node = node.restart().await;
    assert_eq!(node.coordinator.state_digest().unwrap(), before);
    assert!(node.coordinator.is_leading());
    let node = node.restart().await;
    assert_eq!(node.coordinator.state_digest().unwrap(), before);
    let outcome = node.submit(21).await;
    assert_eq!(
        outcome,
        Outcome::TaskSubmitted {
            task: task_id(21),
            created: true
        }
    );
}

#[tokio::test]
async fn a_restart_after_a_snapshot_replays_only_the_rest() {
    let node = Node::ready().await;
    for task in 1..=10 {
        let _ = node.submit(task).await;
    }
    node.coordinator.compact().await.unwrap();
    assert!(node.dir.path().join("raft/snapshot").exists());
    for task in 11..=20 {
        let _ = node.submit(task).await;
    }
    let before = node.coordinator.state_digest().unwrap();
    let node = node.restart().await;
    assert_eq!(node.coordinator.state_digest().unwrap(), before);
    assert_eq!(node.coordinator.read(|state| state.queued_count()), 20);
}

#[tokio::test]
async fn snapshots_are_taken_by_themselves_and_shorten_the_log() {
    let node = Node::with(|config| config.snapshot_every = 10).await;
    make_ready(&node.coordinator).await;
    for task in 1..=60 {
        let _ = node.submit(task).await;
    }
    node.coordinator.compact().await.unwrap();
    let before = node.coordinator.state_digest().unwrap();
    let node = node.restart().await;
    assert_eq!(node.coordinator.state_digest().unwrap(), before);
}

/// A runtime that is dropped takes every task with it in the middle of what it was doing.
#[test]
fn an_abrupt_end_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let depot = aureole_store::Depot::open(&dir.path().join("depot")).unwrap();
    let clock = Arc::new(aureole_coordinator::SystemClock::default());
    let begin = || async {
        aureole_coordinator::Coordinator::start(
            config(dir.path()),
            depot.clone().into(),
            Arc::new(crate::kit::Nobody),
            Arc::new(crate::kit::Nobody),
            Arc::clone(&clock) as Arc<dyn aureole_coordinator::Clock>,
            Arc::new(aureole_coordinator::DialNothing),
        )
        .await
        .unwrap()
    };
    let mut acknowledged = 0;
    for round in 0..4_u8 {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        acknowledged = runtime.block_on(async {
            let coordinator = begin().await;
            if round == 0 {
                make_ready(&coordinator).await;
            }
            assert_eq!(coordinator.read(|state| state.queued_count()), acknowledged);
            for task in 0..10 {
                let _ = submit(&coordinator, task_id(round * 10 + task)).await;
            }
            acknowledged + 10
        });
        drop(runtime);
    }
    assert_eq!(acknowledged, 40);
}

#[tokio::test]
async fn a_folder_in_use_is_refused() {
    let node = Node::new().await;
    let error = aureole_coordinator::Coordinator::start(
        config(node.dir.path()),
        node.depot.clone().into(),
        Arc::new(crate::kit::Nobody),
        Arc::new(crate::kit::Nobody),
        Arc::clone(&node.clock) as Arc<dyn aureole_coordinator::Clock>,
        Arc::new(aureole_coordinator::DialNothing),
    )
    .await
    .unwrap_err();
    assert!(
        matches!(
            error,
            StartError::Log(aureole_coordinator::LogError::InUse { .. })
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_damaged_snapshot_stops_the_start() {
    let node = Node::ready().await;
    node.coordinator.compact().await.unwrap();
    node.coordinator.shutdown().await;
    let path = node.dir.path().join("raft/snapshot");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = aureole_coordinator::Coordinator::start(
        config(node.dir.path()),
        node.depot.clone().into(),
        Arc::new(crate::kit::Nobody),
        Arc::new(crate::kit::Nobody),
        Arc::clone(&node.clock) as Arc<dyn aureole_coordinator::Clock>,
        Arc::new(aureole_coordinator::DialNothing),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, StartError::Snapshot(_)), "{error:?}");
}

#[tokio::test]
async fn a_stopped_coordinator_takes_no_commands() {
    let node = Node::new().await;
    let coordinator = node.coordinator.clone();
    coordinator.shutdown().await;
    coordinator.shutdown().await;
    let command = Command::CancelTask {
        task: task_id(1),
        now: 1,
    };
    let error = coordinator.propose(command).await.unwrap_err();
    assert!(matches!(error, ProposeError::Stopped { .. }), "{error}");
    assert!(!coordinator.is_leading());
}

#[tokio::test]
async fn the_folder_is_free_after_a_shutdown() {
    let node = Node::ready().await;
    let Node {
        coordinator,
        clock,
        depot,
        dir,
    } = node;
    let handle = coordinator.clone();
    coordinator.shutdown().await;
    // The clone is still alive: what was shut down holds nothing.
    let again = start(config(dir.path()), depot, clock).await;
    assert!(again.is_leading());
    drop(handle);
}

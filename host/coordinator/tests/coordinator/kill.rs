//! SIGKILL: a process that acknowledges submissions is killed again and again.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use aureole_coordinator::{Clock, Coordinator, DialNothing, SystemClock};
use aureole_ledger::{Digest, TaskId};
use aureole_store::Depot;

use crate::kit::{Nobody, config, make_ready, submit};

/// Names the folder to a child of the test below.
const FOLDER: &str = "AUREOLE_TEST_KILL_FOLDER";

/// How many processes are killed.
const ROUNDS: u8 = 6;

async fn open(dir: &Path) -> Coordinator {
    let depot = Depot::open(&dir.join("depot")).unwrap();
    let mut config = config(dir);
    // Snapshots and purges happen under fire too.
    config.snapshot_every = 25;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    Coordinator::start(
        config,
        depot.into(),
        Arc::new(Nobody),
        Arc::new(Nobody),
        clock,
        Arc::new(DialNothing),
    )
    .await
    .unwrap()
}

/// The body of the child: submits until it is killed, and says what was acknowledged. As a test of
/// its own it has nothing to do.
#[test]
#[expect(
    clippy::print_stdout,
    reason = "this is how the child reports to its parent"
)]
fn child_that_submits_until_it_is_killed() {
    let Some(dir) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let coordinator = open(&dir).await;
        if coordinator.read(|state| state.plugins().next().is_none()) {
            make_ready(&coordinator).await;
        }
        let start = coordinator.read(|state| state.task_count());
        let submitters = (0..4_u64).map(|lane| {
            let coordinator = coordinator.clone();
            async move {
                for number in 0_u64.. {
                    let seed = format!("{start} {lane} {number}");
                    let bytes = Digest::of(seed.as_bytes());
                    let task = TaskId::from_slice(&bytes.as_bytes()[..16]).unwrap();
                    let _ = submit(&coordinator, task).await;
                    println!("ack {task}");
                }
            }
        });
        futures::future::join_all(submitters).await;
    });
}

/// Starts a child, waits for a number of acknowledgements and kills it. Returns all it heard of.
fn kill_after(dir: &Path, acknowledgements: usize) -> Vec<TaskId> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "kill::child_that_submits_until_it_is_killed",
            "--nocapture",
        ])
        .env(FOLDER, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut heard = Vec::new();
    let mut killed = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Ok(line) = line else { break };
        // The harness prints the test's name in front of the first line.
        let Some((_, id)) = line.split_once("ack ") else {
            continue;
        };
        // A killed process may leave half a line.
        heard.extend(id.parse::<TaskId>());
        if heard.len() >= acknowledgements && !killed {
            child.kill().unwrap();
            killed = true;
        }
    }
    child.wait().unwrap();
    assert!(
        killed,
        "the child ended by itself after {} submissions",
        heard.len()
    );
    heard
}

#[test]
fn what_was_acknowledged_survives_sigkill() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let before = acknowledged.len();
        acknowledged.extend(kill_after(dir.path(), 10 + usize::from(round) * 17));
        assert!(acknowledged.len() > before);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let coordinator = open(dir.path()).await;
            let missing: Vec<&TaskId> = coordinator.read(|state| {
                acknowledged
                    .iter()
                    .filter(|task| state.task(task).is_none())
                    .collect()
            });
            assert!(missing.is_empty(), "round {round} lost {missing:?}");
            coordinator.shutdown().await;
        });
    }
    assert!(
        acknowledged.len() >= 300,
        "only {} submissions",
        acknowledged.len()
    );
}

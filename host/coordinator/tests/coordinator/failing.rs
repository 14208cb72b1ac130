//! A disk that fails: the leader whose writes are refused by the system stops, acknowledges nothing
//! more, and is brought up to date when it is started on a disk that works.
//!
//! The leader is a process of its own under a limit of the size of files (`RLIMIT_FSIZE`), which any
//! Unix has and which needs no rights; the other members are in this one.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aureole_coordinator::{Config, Coordinator, Founding};
use aureole_ledger::Outcome;
use aureole_store::Depot;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::group::{Group, Wires, numbered, serve, try_submit, until};
use crate::kit::make_ready;

/// Names the folder to the child.
const FOLDER: &str = "AUREOLE_TEST_FAILING_FOLDER";

/// Names the founders to the child, as `id=address` with commas.
const FOUNDERS: &str = "AUREOLE_TEST_FAILING_FOUNDERS";

/// The member in the child.
const CHILD: u64 = 1;

/// Submissions before the disk fails.
const BEFORE: u64 = 30;

/// Attempts after it.
const AFTER: u64 = 20;

/// The longest file from then on: below all that the log writes next.
const FILE_MAX: u64 = 8 * 1024;

/// The body of the child: leads, and says what it acknowledges before and after its disk fails. As a
/// test of its own it has nothing to do.
#[test]
#[expect(
    clippy::print_stdout,
    reason = "this is how the child reports to its parent"
)]
fn child_whose_disk_fails() {
    let Some(dir) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let founders = std::env::var(FOUNDERS).unwrap();
    let founders: BTreeMap<u64, String> = founders
        .split(',')
        .map(|founder| {
            let (id, address) = founder.split_once('=').unwrap();
            (id.parse().unwrap(), address.to_owned())
        })
        .collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let member = child(&dir, founders).await;
        until("the lead", || async { member.is_leading().then_some(()) }).await;
        make_ready(&member).await;
        for number in 0..BEFORE {
            let outcome = try_submit(&member, numbered(number)).await.unwrap();
            assert!(
                matches!(outcome, Outcome::TaskSubmitted { created: true, .. }),
                "{outcome:?}"
            );
            println!("\nack {number}");
        }
        let limit = Rlimit {
            current: Some(FILE_MAX),
            maximum: Some(FILE_MAX),
        };
        setrlimit(Resource::Fsize, limit).unwrap();
        // The first of these meets the disk; its fate is unknown, and it is not acknowledged.
        for number in BEFORE..BEFORE + AFTER {
            if let Ok(Outcome::TaskSubmitted { .. }) = try_submit(&member, numbered(number)).await {
                println!("\nlate ack {number}");
            }
        }
        if member.linearizable().await.is_ok() {
            println!("\nlate read");
        }
        println!("\nleads {}", member.is_leading());
        println!("\nstopped {}", member.stopped().await.replace('\n', " "));
    });
}

async fn child(dir: &Path, founders: BTreeMap<u64, String>) -> Coordinator {
    let address = founders[&CHILD].parse().unwrap();
    let mut config = Config::new(CHILD, dir.join(format!("member-{CHILD}")));
    config.cluster = "tests".to_owned();
    config.address = founders[&CHILD].clone();
    config.founding = Founding::Founders(founders);
    let depot = Depot::open(&dir.join("depot-of-the-child")).unwrap();
    let (member, _served) = serve(config, depot, address, Wires::default(), |_| {})
        .await
        .unwrap();
    member
}

/// Runs the child to its end and returns what it said.
fn run_child(dir: &Path, founders: &str) -> Vec<String> {
    // A limit that is met raises a signal first, which would end the process.
    let mut child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "failing::child_whose_disk_fails", "--nocapture"])
        .env(FOLDER, dir)
        .env(FOUNDERS, founders)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines = lines.collect::<Result<_, _>>().unwrap();
    child.wait().unwrap();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_disk_fails_stops_and_acknowledges_nothing_more() {
    let mut group = Group::seated(3, 2000).await;
    for id in [2, 3] {
        group.start(id).await;
    }
    let founders: Vec<String> = group
        .seats
        .iter()
        .map(|(id, seat)| format!("{id}={}", seat.address))
        .collect();
    let (dir, founders) = (group.dir.path().to_owned(), founders.join(","));
    let said = tokio::task::spawn_blocking(move || run_child(&dir, &founders));
    // It may not be the first to lead: it is made to.
    let made = async {
        loop {
            let (_, member) = group.running().swap_remove(0);
            let _ = member.transfer_leader(CHILD).await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let said = tokio::select! {
        said = said => said.unwrap(),
        () = made => unreachable!("it goes on until the child has ended"),
    };
    let acknowledged = said.iter().filter(|line| line.starts_with("ack ")).count();
    assert_eq!(u64::try_from(acknowledged).unwrap(), BEFORE, "{said:?}");
    assert!(said.iter().all(|line| !line.contains("late")), "{said:?}");
    assert!(said.iter().any(|line| line == "leads false"), "{said:?}");
    let stopped = said.iter().find(|line| line.starts_with("stopped "));
    assert!(
        stopped.is_some_and(|line| line.contains("File too large")),
        "{said:?}"
    );

    // The others went on with all of it; on a disk that works the member comes back to it.
    let queued = group.agree().await;
    assert!(queued >= BEFORE, "{queued}");
    group.submit(numbered(1_000)).await;
    group.start(CHILD).await;
    assert_eq!(group.agree().await, queued + 1);
    group.stop(2).await;
    group.submit(numbered(1_001)).await;
    assert_eq!(group.agree().await, queued + 2);
    group.shutdown().await;
}

//! What a task costs while many wait: the same three members, with 1,000, 10,000 and 100,000 tasks in
//! the queue.
//!
//! At each depth the clients put tasks through, submitted, leased and completed, while the queue stands.
//! Beside the rate: what the log of one member grew by for each task, and what a queued task takes of a
//! member's memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::task::JoinSet;

use crate::group::Group;
use crate::{TURN, WARM_UP, median, shown, turn};

/// Tasks that wait.
const DEPTHS: [u32; 3] = [1_000, 10_000, 100_000];

/// Turns at each depth.
const TURNS: usize = 3;

/// In this process.
const MEMBERS: f64 = 3.0;

/// How often the log is looked at: it is cut several times a second at the most.
const LOOK: Duration = Duration::from_millis(20);

pub(crate) async fn run(clients: u32) -> anyhow::Result<()> {
    let each = queued(clients, DEPTHS[2]).await?;
    let group = Group::start().await?;
    group.unlimited().await?;
    let working = vec![group.client(); usize::try_from(clients)?];
    turn(&working, WARM_UP).await?;
    let (mut waiting, mut rates, mut written) = (0, Vec::new(), 0.0);
    for depth in DEPTHS {
        fill(&group, clients, depth - waiting).await?;
        waiting = depth;
        let (mut turns, log) = (Vec::new(), group.log());
        for _ in 0..TURNS {
            let growth = Growth::start(log.clone());
            let rate = turn(&working, TURN).await?;
            written = growth.stop().await? / (rate * TURN.as_secs_f64());
            turns.push(rate);
        }
        println!("{depth:>7} waiting: {} tasks a second", shown(&turns));
        rates.push(median(&mut turns));
    }
    let whole = f64::from(waiting) * each / f64::from(1 << 20);
    let (first, last) = (rates.first(), rates.last());
    let flat = first.context("a depth")? / last.context("a depth")?;
    println!(
        "a member: {each:.0} bytes a queued task, {whole:.0} MiB for {waiting} of them; {written:.0} bytes \
         of log a task"
    );
    println!(
        "{}",
        json!({
            "bench": "queue",
            "clients": clients,
            "depths": DEPTHS,
            "tasks_per_s": rates.iter().map(|rate| rate.round()).collect::<Vec<_>>(),
            "ratio": (flat * 1000.0).round() / 1000.0,
            "log_bytes_per_task": written.round(),
            "member_bytes_per_queued_task": each.round(),
            "member_mib": whole.round(),
        })
    );
    group.stop().await;
    Ok(())
}

/// Bytes that a queued task takes of a member, its part of the log in memory included: of members that
/// have done nothing else, for what others left behind would be used again.
async fn queued(clients: u32, tasks: u32) -> anyhow::Result<f64> {
    let group = Group::start().await?;
    group.unlimited().await?;
    let before = resident()?;
    fill(&group, clients, tasks).await?;
    let after = resident()?;
    group.stop().await;
    Ok(after.saturating_sub(before) as f64 / MEMBERS / f64::from(tasks))
}

/// Submits so many tasks that stay.
async fn fill(group: &Group, clients: u32, tasks: u32) -> anyhow::Result<()> {
    let left = Arc::new(AtomicU32::new(tasks));
    let mut filling = JoinSet::new();
    for _ in 0..clients {
        let (client, left) = (group.client(), Arc::clone(&left));
        filling.spawn(async move {
            let take = |left: u32| left.checked_sub(1);
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .is_ok()
            {
                client.submit().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = filling.join_next().await {
        ended??;
    }
    Ok(())
}

/// Adds up what a file grows by; what is cut off meanwhile does not count against it.
struct Growth {
    over: Arc<AtomicBool>,
    looking: tokio::task::JoinHandle<anyhow::Result<u64>>,
}

impl Growth {
    fn start(file: PathBuf) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let looking = tokio::spawn(async move {
            let (mut before, mut grown) = (size(&file)?, 0);
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(LOOK).await;
                let now = size(&file)?;
                grown += now.saturating_sub(before);
                before = now;
            }
            Ok(grown)
        });
        Self { over, looking }
    }

    async fn stop(self) -> anyhow::Result<f64> {
        self.over.store(true, Ordering::Relaxed);
        Ok(self.looking.await?? as f64)
    }
}

/// Bytes of a file.
fn size(file: &Path) -> anyhow::Result<u64> {
    let metadata = fs::metadata(file).with_context(|| format!("{}", file.display()))?;
    Ok(metadata.len())
}

/// What this process has resident.
fn resident() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kibibytes
        .context("the system does not tell")?
        .parse::<u64>()?
        * 1024)
}

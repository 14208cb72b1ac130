//! What a task costs while many wait: the same three members, with 1,000, 10,000 and 100,000 tasks in
//! the queue.
//!
//! At each depth the clients put tasks through, submitted, leased and completed, while the queue stands;
//! then each step by itself: so many more tasks are all submitted, then all leased, then all completed.
//! The clients are in the leader's process. Beside the rates: what the log of one member grew by for each
//! task, and what a member takes of memory without tasks and with all of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aureole_ledger::TaskId;
use aureole_ledger::limits::TASKS_MAX;
use serde_json::json;
use tokio::task::JoinSet;

use crate::group::{Group, Step, fresh};
use crate::{WARM_UP, median, shown, turn};

/// How much is measured.
#[derive(Clone, Copy)]
struct Extent {
    /// Tasks that wait.
    depths: &'static [u32],
    /// Turns at each depth.
    turns: u32,
    /// How long a turn is.
    turn: Duration,
    /// Tasks of which each step is timed by itself.
    steps: u32,
}

const WHOLE: Extent = Extent {
    depths: &[1_000, 10_000, 100_000],
    turns: 3,
    turn: Duration::from_secs(3),
    steps: 20_000,
};

/// What shows that it works.
const QUICK: Extent = Extent {
    depths: &[1_000, 10_000],
    turns: 1,
    turn: Duration::from_secs(1),
    steps: 2_000,
};

/// In this process.
const MEMBERS: f64 = 3.0;

/// How often the log is looked at: it is cut several times a second at the most.
const LOOK: Duration = Duration::from_millis(20);

/// What a member takes of memory: a third of a process of three members and their clients.
struct Memory {
    /// Bytes without tasks.
    base: f64,
    /// Bytes with so many that wait.
    whole: f64,
    /// Bytes for each of them.
    each: f64,
}

pub(crate) async fn run(clients: u32, quick: bool) -> anyhow::Result<()> {
    let extent = if quick { QUICK } else { WHOLE };
    let deepest = *extent.depths.last().context("a depth")?;
    let memory = Memory::measure(clients, deepest).await?;
    let group = Group::start().await?;
    group.unlimited().await?;
    let working = vec![group.client(); usize::try_from(clients)?];
    turn(&working, WARM_UP).await?;
    let (mut waiting, mut rates, mut written) = (0_u32, Vec::new(), 0.0);
    let mut steps: [Vec<f64>; 3] = Default::default();
    for &depth in extent.depths {
        fill(&group, clients, depth - waiting).await?;
        waiting = depth;
        let (mut turns, log) = (Vec::new(), group.log());
        for _ in 0..extent.turns {
            let growth = Growth::start(log.clone());
            let rate = turn(&working, extent.turn).await?;
            written = growth.stop().await? / (rate * extent.turn.as_secs_f64());
            turns.push(rate);
        }
        println!("{depth:>7} waiting: {} tasks a second", shown(&turns));
        rates.push(median(&mut turns));
        let tasks = some(extent.steps)?;
        for (step, rates) in [Step::Submit, Step::Lease, Step::Complete]
            .into_iter()
            .zip(&mut steps)
        {
            rates.push(all(&group, clients, &tasks, step).await?.round());
        }
    }
    let [submissions, leases, completions] = steps;
    println!("submissions a second  {}", shown(&submissions));
    println!("leases a second       {}", shown(&leases));
    println!("completions a second  {}", shown(&completions));
    let (first, last) = (rates.first(), rates.last());
    let flat = first.context("a depth")? / last.context("a depth")?;
    let Memory { base, whole, each } = memory;
    let bound = base + each * TASKS_MAX as f64;
    println!(
        "a member: {:.0} MiB without tasks, {:.0} MiB with {waiting} that wait, {each:.0} bytes each; as many \
         as may be known, {TASKS_MAX}, would be {:.0} MiB; {written:.0} bytes of log a task",
        mebibytes(base),
        mebibytes(whole),
        mebibytes(bound)
    );
    println!(
        "{}",
        json!({
            "bench": "queue",
            "clients": clients,
            "depths": extent.depths,
            "tasks_per_s": rates.iter().map(|rate| rate.round()).collect::<Vec<_>>(),
            "submissions_per_s": submissions,
            "leases_per_s": leases,
            "completions_per_s": completions,
            "ratio": (flat * 1000.0).round() / 1000.0,
            "log_bytes_per_task": written.round(),
            "member_bytes_per_queued_task": each.round(),
            "member_base_mib": mebibytes(base).round(),
            "member_whole_mib": mebibytes(whole).round(),
            "tasks_max": TASKS_MAX,
            "member_bound_mib": mebibytes(bound).round(),
        })
    );
    group.stop().await;
    Ok(())
}

fn mebibytes(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}

// === impl Memory ===

impl Memory {
    /// Of members that have done nothing else, for what others left behind would be used again. Their
    /// part of the log in memory is included.
    async fn measure(clients: u32, tasks: u32) -> anyhow::Result<Self> {
        let group = Group::start().await?;
        group.unlimited().await?;
        let base = resident()? as f64 / MEMBERS;
        fill(&group, clients, tasks).await?;
        let whole = resident()? as f64 / MEMBERS;
        group.stop().await;
        Ok(Self {
            base,
            whole,
            each: (whole - base) / f64::from(tasks),
        })
    }
}

/// Submits so many tasks that stay. Nobody notes which: a list would count as the members' memory.
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
                client.step(Step::Submit, fresh()?).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = filling.join_next().await {
        ended??;
    }
    Ok(())
}

/// So many tasks that nobody has submitted yet.
fn some(tasks: u32) -> anyhow::Result<Vec<TaskId>> {
    (0..tasks).map(|_| fresh()).collect()
}

/// Takes all tasks one step further, each client its part; returns the steps a second.
async fn all(group: &Group, clients: u32, tasks: &[TaskId], step: Step) -> anyhow::Result<f64> {
    let share = tasks.len().div_ceil(usize::try_from(clients)?).max(1);
    let begun = Instant::now();
    let mut working = JoinSet::new();
    for part in tasks.chunks(share) {
        let (client, part) = (group.client(), part.to_vec());
        working.spawn(async move {
            for task in part {
                client.step(step, task).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = working.join_next().await {
        ended??;
    }
    Ok(tasks.len() as f64 / begun.elapsed().as_secs_f64())
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

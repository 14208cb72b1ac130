//! `control_plane N [quick]`: what the control plane alone can take, beside a queue in PostgreSQL.
//!
//! N clients each submit a task that does nothing, lease it and complete it, again and again: three
//! durable steps a task on either side. Ours go through three members, each with its log on disk, over
//! loopback TCP, and a step is acknowledged when two of them have fsynced it. PostgreSQL is one private
//! server with `synchronous_commit = on`; its clients INSERT, lease by UPDATE of a row that SELECT FOR
//! UPDATE SKIP LOCKED finds, and complete by UPDATE, each a prepared statement and a commit of its own
//! on a connection of its own. What has ended is deleted on either side, 128 at a time.
//!
//! Our clients propose within the leader's process, as the gateway does that a coordinator has: what the
//! members take. Beside that they come over gRPC on loopback, each step a call, on connections that they
//! share; members and clients are one process. PostgreSQL's come over its Unix socket to another process.
//!
//! All take turns in one run, so that a noisy machine is noisy to each. The last line is one JSON
//! object whose `ratio` is ours over PostgreSQL's; before it, one turn each shows the ratio with fewer
//! clients, which wait for three fsyncs and two ways over the network where PostgreSQL's wait for one
//! fsync. `control_plane queue N` measures ours alone, with more
//! and more tasks in the queue.
#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

#[path = "control_plane/door.rs"]
mod door;
#[path = "control_plane/group.rs"]
mod group;
#[path = "control_plane/postgres.rs"]
mod postgres;
#[path = "control_plane/queue.rs"]
mod queue;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::task::JoinSet;

use self::group::Group;
use self::postgres::Postgres;

/// What `aureole` runs with.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How much is measured.
#[derive(Clone, Copy)]
struct Extent {
    /// Turns of each side.
    turns: u32,
    /// How long a turn is.
    turn: Duration,
    /// Fewer clients, which have one turn.
    fewer: &'static [u32],
}

const WHOLE: Extent = Extent {
    turns: 5,
    turn: Duration::from_secs(3),
    fewer: &[16, 32, 64],
};

/// What shows that it works.
const QUICK: Extent = Extent {
    turns: 1,
    turn: Duration::from_secs(1),
    fewer: &[16],
};

/// How many clients PostgreSQL's usual 100 connections leave room for.
const CLIENTS: u32 = 90;

/// The turn before the first that counts.
const WARM_UP: Duration = Duration::from_secs(1);

/// Something through which tasks go.
trait Queue: Clone + Send + 'static {
    /// Puts one task through: submitted, leased, completed.
    fn one(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let of_queue = arguments.next_if(|argument| argument == "queue").is_some();
    let clients: u32 = match arguments.next() {
        Some(text) => text
            .parse()
            .context("give the number of clients, such as 90")?,
        None => CLIENTS,
    };
    ensure!(
        (1..=CLIENTS).contains(&clients),
        "give 1 to {CLIENTS} clients"
    );
    let quick = arguments.next().is_some_and(|argument| argument == "quick");
    if of_queue {
        return queue::run(clients, quick).await;
    }
    beside_postgres(clients, if quick { QUICK } else { WHOLE }).await
}

/// Measures ours and PostgreSQL's by turns.
async fn beside_postgres(clients: u32, extent: Extent) -> anyhow::Result<()> {
    let Extent {
        turns, turn: time, ..
    } = extent;
    let group = Group::start().await?;
    let door = group.door().await?;
    let server = Postgres::start().await?;
    let mut rows = Vec::new();
    for _ in 0..clients {
        rows.push(server.client().await?);
    }
    let count = usize::try_from(clients)?;
    let ways = door.ways(count).into_iter();
    let ours: Vec<_> = ways.map(|way| group.client_by(way)).collect();
    let within = vec![group.client(); count];
    turn(&ours, WARM_UP).await?;
    turn(&within, WARM_UP).await?;
    turn(&rows, WARM_UP).await?;
    let mut fewer = BTreeMap::new();
    for few in extent.fewer.iter().filter(|few| **few < clients) {
        let count = usize::try_from(*few)?;
        let (some, others) = (ours.iter().take(count), rows.iter().take(count));
        let (some, others): (Vec<_>, Vec<_>) = (some.cloned().collect(), others.cloned().collect());
        let ratio = turn(&some, time).await? / turn(&others, time).await?;
        fewer.insert(*few, hundredths(ratio));
    }
    let (mut remote, mut local, mut postgres) = (Side::default(), Side::default(), Vec::new());
    for number in 1..=turns {
        remote.measure(&group, &ours, time).await?;
        local.measure(&group, &within, time).await?;
        postgres.push(turn(&rows, time).await?);
        eprintln!("    turn {number} of {turns}");
    }
    println!(
        "no-op tasks a second, {clients} clients, {turns} turns of {} s each:",
        time.as_secs()
    );
    remote.tell("three members, over gRPC");
    local.tell("three members, within the leader's process");
    println!("PostgreSQL: {}", shown(&postgres));
    for (few, ratio) in &fewer {
        println!("with {few} clients over gRPC, one turn: {ratio}");
    }
    let (ours, theirs) = (median(&mut remote.rates), median(&mut postgres));
    let within = median(&mut local.rates);
    println!(
        "{}",
        json!({
            "bench": "control-plane",
            "clients": clients,
            "tasks_per_s": ours.round(),
            "in_process_tasks_per_s": within.round(),
            "postgres_tasks_per_s": theirs.round(),
            "ratio": hundredths(within / theirs),
            "over_grpc_ratio": hundredths(ours / theirs),
            "with_fewer_clients": fewer,
        })
    );
    drop(door);
    group.stop().await;
    Ok(())
}

/// Turns of our clients that come one way.
#[derive(Default)]
struct Side {
    /// Tasks a second.
    rates: Vec<f64>,
    /// Microseconds of the processors for a task.
    processor: Vec<f64>,
    /// Commands in an entry of the log.
    entries: Vec<f64>,
}

// === impl Side ===

impl Side {
    async fn measure(
        &mut self,
        group: &Group,
        clients: &[group::Client],
        time: Duration,
    ) -> anyhow::Result<()> {
        let (before, index) = (processor_time()?, group.applied().await?);
        let rate = turn(clients, time).await?;
        let tasks = rate * time.as_secs_f64();
        let spent = processor_time()?.saturating_sub(before);
        self.processor.push(spent.as_secs_f64() * 1e6 / tasks);
        let entries = u32::try_from(group.applied().await? - index)?;
        self.entries.push(3.0 * tasks / f64::from(entries));
        self.rates.push(rate);
        Ok(())
    }

    fn tell(&self, name: &str) {
        println!("{name}: {}", shown(&self.rates));
        println!("    processor time a task {} us", shown(&self.processor));
        println!("    commands an entry     {}", shown(&self.entries));
    }
}

/// Has all clients work for a while; returns tasks a second.
async fn turn<Q: Queue>(clients: &[Q], time: Duration) -> anyhow::Result<f64> {
    let (over, done) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let begun = Instant::now();
    let mut working = JoinSet::new();
    for client in clients {
        let (mut client, over, done) = (client.clone(), Arc::clone(&over), Arc::clone(&done));
        working.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                client.one().await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    tokio::time::sleep(time).await;
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = working.join_next().await {
        ended??;
    }
    let tasks = u32::try_from(done.load(Ordering::Relaxed))?;
    Ok(f64::from(tasks) / begun.elapsed().as_secs_f64())
}

/// Time that this process has had on the processors, its children not counted.
fn processor_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // utime and stime are fields 14 and 15, in hundredths of a second; the name in field 2 may hold spaces.
    let (_, fields) = stat.rsplit_once(')').context("no process name")?;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().unwrap_or(0_u64))
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

fn hundredths(ratio: f64) -> f64 {
    (ratio * 100.0).round() / 100.0
}

fn shown(turns: &[f64]) -> String {
    let turns: Vec<String> = turns.iter().map(|rate| format!("{rate:>7.0}")).collect();
    turns.join(" ")
}

fn median(turns: &mut [f64]) -> f64 {
    turns.sort_by(f64::total_cmp);
    turns.get(turns.len() / 2).copied().unwrap_or_default()
}

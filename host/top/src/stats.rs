//! Throughput, latency and failures, from what ended in the last minutes.

use std::collections::BTreeMap;

use aureole_client::rest::{TaskKind, TaskState, Timestamp, Timings};
use serde::Serialize;

use crate::limits::MINUTES;
use crate::{Ended, Recent};

const MINUTE_MS: u64 = 60_000;

/// What ended in the last minutes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Minute by minute, the oldest first, the last one up to now.
    pub minutes: Vec<Minute>,
    /// Whether all tasks of that time were counted.
    pub whole: bool,
    /// Tasks that were done.
    pub done: u64,
    /// Tasks that failed.
    pub failed: u64,
    /// How long the proofs took, by stage, the whole first.
    pub stages: Vec<StageTimes>,
    /// Why tasks failed, what happened most first.
    pub failures: Vec<Failures>,
}

/// One minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// Tasks that were done in it.
    pub done: u64,
    /// Tasks that failed in it.
    pub failed: u64,
}

/// How long a stage took.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageTimes {
    /// Its name; `total` is from submission to the end.
    pub stage: &'static str,
    /// Half of them were faster, in milliseconds.
    pub half_ms: f64,
    /// 95 in a hundred were faster.
    pub most_ms: f64,
}

/// Failures of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failures {
    /// The stable code.
    pub code: String,
    /// How many tasks.
    pub count: u64,
    /// The newest of them.
    pub newest: String,
    /// When that ended.
    pub at: Timestamp,
}

// === impl Stats ===

impl Stats {
    /// Counts, as of a moment in milliseconds since 1970.
    pub fn of(recent: &Recent, now: u64) -> Self {
        let count = u64::from(MINUTES);
        let mut minutes = vec![Minute::default(); MINUTES as usize];
        let mut stats = Self {
            whole: recent.is_whole(),
            ..Self::default()
        };
        for (_, task) in recent.ended() {
            let age = now.saturating_sub(task.at) / MINUTE_MS;
            let place = count.checked_sub(1 + age);
            let place = place.and_then(|place| usize::try_from(place).ok());
            let Some(minute) = place.and_then(|place| minutes.get_mut(place)) else {
                continue;
            };
            match task.state {
                TaskState::Done => {
                    minute.done += 1;
                    stats.done += 1;
                }
                TaskState::Failed => {
                    minute.failed += 1;
                    stats.failed += 1;
                }
                TaskState::Queued | TaskState::Running | TaskState::Cancelled => {}
            }
        }
        stats.minutes = minutes;
        stats.stages = stages(recent);
        stats.failures = failures(recent);
        stats
    }
}

/// A stage: its name, and its time among those of a task.
type Timed = (&'static str, fn(&Timings) -> Option<f64>);

fn stages(recent: &Recent) -> Vec<StageTimes> {
    const STAGES: [Timed; 6] = [
        ("total", |timings| timings.total),
        ("queue", |timings| timings.queue),
        ("witness", |timings| timings.witness),
        ("check", |timings| timings.check),
        ("prove", |timings| timings.prove),
        ("verify", |timings| timings.verify),
    ];
    let is_proof = |task: &&Ended| task.kind == TaskKind::Prove && task.state == TaskState::Done;
    let proofs = recent.ended().map(|(_, task)| task).filter(is_proof);
    let proofs: Vec<&Ended> = proofs.collect();
    let times = STAGES.into_iter().filter_map(|(stage, time)| {
        let times = proofs.iter().filter_map(|task| time(&task.timings));
        let mut times: Vec<f64> = times.collect();
        times.sort_by(f64::total_cmp);
        Some(StageTimes {
            stage,
            half_ms: quantile(&times, 50)?,
            most_ms: quantile(&times, 95)?,
        })
    });
    times.collect()
}

/// The value that so many in a hundred of sorted values do not exceed.
fn quantile(sorted: &[f64], hundredths: usize) -> Option<f64> {
    let place = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied()
}

fn failures(recent: &Recent) -> Vec<Failures> {
    let mut found: BTreeMap<&str, Failures> = BTreeMap::new();
    let failed = recent.ended();
    for (id, task) in failed.filter(|(_, task)| task.state == TaskState::Failed) {
        let code = task.code.as_deref().unwrap_or("without a code");
        let known = found.entry(code).or_insert_with(|| Failures {
            code: code.to_owned(),
            count: 0,
            newest: id.to_owned(),
            at: Timestamp::from_millis(task.at),
        });
        known.count += 1;
        if task.at > known.at.millis() {
            id.clone_into(&mut known.newest);
            known.at = Timestamp::from_millis(task.at);
        }
    }
    let mut found: Vec<Failures> = found.into_values().collect();
    found.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
    found
}

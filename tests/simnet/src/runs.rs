//! Many seeds, or the one that failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::SCHEDULES;
use crate::{History, Plan, run};

/// The variable that names one seed.
const SEED: &str = "AUREOLE_TEST_SEED";

/// The variable that makes the seeds more.
const ROUNDS: &str = "AUREOLE_TEST_ROUNDS";

/// One schedule that was lived through.
#[derive(Debug)]
pub struct Ran {
    /// What was to go wrong.
    pub plan: Plan,
    /// What was seen, or what ended it before its time.
    pub history: Result<History, String>,
    /// How long it took.
    pub took: Duration,
}

/// Returns what was seen in every schedule. They are lived through once in a process, as many at a
/// time as there are cores; with `AUREOLE_TEST_SEED` set it is that one alone, and
/// `AUREOLE_TEST_ROUNDS` is how many times as many there are.
///
/// # Errors
/// A variable that holds no number.
pub fn every_run() -> Result<&'static [Ran], String> {
    static RUNS: OnceLock<Result<Vec<Ran>, String>> = OnceLock::new();
    match RUNS.get_or_init(|| Ok(lived(seeds()?))) {
        Ok(runs) => Ok(runs),
        Err(error) => Err(error.clone()),
    }
}

fn number(variable: &str) -> Result<Option<u64>, String> {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .map(Some)
            .map_err(|_| format!("{variable}={text} is no number")),
        Err(_) => Ok(None),
    }
}

fn seeds() -> Result<std::ops::Range<u64>, String> {
    let rounds = number(ROUNDS)?.unwrap_or(1);
    Ok(match number(SEED)? {
        Some(seed) => seed..seed + 1,
        None => 1..SCHEDULES.saturating_mul(rounds) + 1,
    })
}

fn lived(seeds: std::ops::Range<u64>) -> Vec<Ran> {
    let (begun, next) = (Instant::now(), AtomicU64::new(seeds.start));
    let runs = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end {
                        return;
                    }
                    let ran = live(seed);
                    runs.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(ran);
                }
            });
        }
    });
    let mut runs = runs.into_inner().unwrap_or_else(PoisonError::into_inner);
    runs.sort_by_key(|ran| ran.plan.seed);
    tell(&runs, begun.elapsed());
    runs
}

fn live(seed: u64) -> Ran {
    let (plan, begun) = (Plan::of(seed), Instant::now());
    // A panic in the world is a finding, and must say its seed.
    let history = catch_unwind(AssertUnwindSafe(|| run(&plan)));
    let history = history.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("a panic: {}", text.unwrap_or_default()))
    });
    Ran {
        plan,
        history,
        took: begun.elapsed(),
    }
}

fn tell(runs: &[Ran], took: Duration) {
    let seen = || runs.iter().filter_map(|ran| ran.history.as_ref().ok());
    let longest = runs.iter().map(|ran| ran.took).max().unwrap_or_default();
    eprintln!(
        "seeds {} to {}: {} promises, {} reigns, {} restarts, {} snapshots sent, in {} s (longest {} ms); \
         one alone by {SEED}=N",
        runs.first().map_or(0, |ran| ran.plan.seed),
        runs.last().map_or(0, |ran| ran.plan.seed),
        seen().map(|history| history.promises.len()).sum::<usize>(),
        seen().map(|history| history.reigns.len()).sum::<usize>(),
        seen().map(|history| history.restarts).sum::<u64>(),
        seen().map(|history| history.installs).sum::<u64>(),
        took.as_secs(),
        longest.as_millis(),
    );
}

//! Retention: what has been in the archive for longer than the policy says is removed, in small
//! portions. The proofs that only it named are collected with the next round of the depots.

use std::error::Error;
use std::time::{Duration, Instant};

use aureole_ledger::Millis;
use aureole_store::{Retention, SharedArchive};

use crate::history::History;

/// Rows removed by one statement: some milliseconds, so that nobody waits behind it.
const PORTION: u32 = 1_000;

/// Portions of one sweep: a million rows; what is left then goes with the next.
const PORTIONS_MAX: u32 = 1_000;

/// How often it is looked, at the most and at the least: a tenth of the shortest time that something
/// is kept, so that nothing stays much longer.
const EVERY_MIN: Duration = Duration::from_secs(5);
const EVERY_MAX: Duration = Duration::from_secs(3600);

/// How long others leave a sweep to whoever began it.
const HOLD: Duration = Duration::from_secs(600);

/// Looks from time to time for what is past its time.
#[derive(Debug)]
pub(super) struct Sweeper {
    history: History,
    every: Option<Duration>,
    swept: Option<Instant>,
}

// === impl Sweeper ===

impl Sweeper {
    pub(super) fn new(history: History) -> Self {
        Self {
            every: every(history.retention()),
            history,
            swept: None,
        }
    }

    /// Removes what is past its time, if it was not looked lately and no other member is at it.
    pub(super) async fn sweep(&mut self, archive: &SharedArchive, now: Millis) {
        let due = |every| self.swept.is_none_or(|swept| swept.elapsed() >= every);
        if !self.every.is_some_and(due) {
            return;
        }
        self.swept = Some(Instant::now());
        // Two that sweep at once do no harm: without the cache nobody is held up.
        let lock = match self.history.cache() {
            Some(cache) => match cache.lock("retention sweep", HOLD).await {
                Ok(None) => return,
                Ok(lock) => lock,
                Err(_) => None,
            },
            None => None,
        };
        let removed = remove(archive, self.history.retention(), now).await;
        if removed > 0 {
            tracing::info!(tasks = removed, "history past its time was removed");
        }
        if let Some(lock) = lock
            && let Err(error) = lock.release().await
        {
            let error: &dyn Error = &error;
            tracing::debug!(error, "the lock of a sweep ends by itself");
        }
    }
}

async fn remove(archive: &SharedArchive, retention: &Retention, now: Millis) -> u64 {
    let mut removed = 0;
    for expiry in retention.expiries(now) {
        for _ in 0..PORTIONS_MAX {
            match archive.expire(&expiry, PORTION).await {
                Ok(rows) => {
                    removed += rows;
                    if rows < u64::from(PORTION) {
                        break;
                    }
                }
                Err(error) => {
                    let error: &dyn Error = &error;
                    tracing::warn!(error, "history past its time stays for now");
                    return removed;
                }
            }
        }
    }
    removed
}

fn every(retention: &Retention) -> Option<Duration> {
    let named = retention.states.values().chain(retention.tenants.values());
    let shortest = named.chain(retention.keep.iter()).min()?;
    Some((*shortest / 10).clamp(EVERY_MIN, EVERY_MAX))
}

#[cfg(test)]
mod tests {
    //! How often it is looked.

    use super::*;

    #[test]
    fn the_shortest_time_says_how_often_it_is_looked() {
        let keep = |seconds| Retention {
            keep: Some(Duration::from_secs(seconds)),
            tenants: [("acme".to_owned(), Duration::from_secs(90 * 86_400))].into(),
            ..Retention::default()
        };
        assert_eq!(every(&Retention::default()), None);
        assert_eq!(every(&keep(1)), Some(EVERY_MIN));
        assert_eq!(every(&keep(600)), Some(Duration::from_secs(60)));
        assert_eq!(every(&keep(365 * 86_400)), Some(EVERY_MAX));
    }
}

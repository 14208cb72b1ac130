//! Which calls are made again, and when.
//!
//! A call is made again only when doing it twice does what doing it once does: a read, a registration
//! or a cancel by its nature, a submission because it carries an idempotency key. Anything else is
//! made again only when it certainly did not arrive.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio::time::Instant;

use crate::Error;

/// How often a call is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How many times at the most, beside the first.
    pub most: u32,
    /// The first wait; each is about twice the one before, with jitter.
    pub first: Duration,
    /// The longest wait, before jitter. A longer `Retry-After` is not waited for.
    pub longest: Duration,
    /// No try begins later than this after the first.
    pub within: Duration,
}

/// What happens when a call is made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twice {
    /// The same as once.
    Same,
    /// Perhaps something else.
    Differs,
}

/// The tries of one call.
#[derive(Debug)]
pub(crate) struct Tries {
    retries: Retries,
    twice: Twice,
    begun: Instant,
    waits: ExponentialBackoff,
}

// === impl Retries ===

impl Retries {
    /// Every call is made once.
    pub const NONE: Self = Self {
        most: 0,
        first: Duration::ZERO,
        longest: Duration::ZERO,
        within: Duration::ZERO,
    };
}

impl Default for Retries {
    /// Four times within half a minute: a cluster has another leader within seconds.
    fn default() -> Self {
        Self {
            most: 4,
            first: Duration::from_millis(200),
            longest: Duration::from_secs(5),
            within: Duration::from_secs(30),
        }
    }
}

// === impl Tries ===

impl Tries {
    pub(crate) fn new(retries: Retries, twice: Twice) -> Self {
        let waits = ExponentialBuilder::new()
            .with_min_delay(retries.first)
            .with_max_delay(retries.longest)
            .with_max_times(usize::try_from(retries.most).unwrap_or(usize::MAX))
            .with_jitter();
        Self {
            retries,
            twice,
            begun: Instant::now(),
            waits: waits.build(),
        }
    }

    /// How long to wait before the call is made again after a failure; `None` when it is not.
    pub(crate) fn after(&mut self, error: &Error) -> Option<Duration> {
        let may = match self.twice {
            Twice::Same => error.is_transient(),
            Twice::Differs => error.never_arrived(),
        };
        if !may {
            return None;
        }
        let wait = self.waits.next()?;
        let wait = match error.retry_after() {
            Some(asked) if asked > self.retries.longest => return None,
            Some(asked) => wait.max(asked),
            None => wait,
        };
        let begins = self.begun.elapsed().saturating_add(wait);
        (begins <= self.retries.within).then_some(wait)
    }
}

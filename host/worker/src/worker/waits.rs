//! Waits between tries: each about twice as long as the one before, with jitter, so that a cluster of
//! workers does not come back in step.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::limits::{RETRY_MAX, RETRY_MIN};

/// An endless row of waits.
#[derive(Debug)]
pub(super) struct Waits(ExponentialBackoff);

// === impl Waits ===

impl Waits {
    pub(super) fn new() -> Self {
        let waits = ExponentialBuilder::new()
            .with_min_delay(RETRY_MIN)
            .with_max_delay(RETRY_MAX)
            .with_jitter()
            .without_max_times();
        Self(waits.build())
    }

    /// The next wait: between `RETRY_MIN` and twice `RETRY_MAX`.
    pub(super) fn next(&mut self) -> Duration {
        self.0.next().unwrap_or(RETRY_MAX)
    }

    /// Begins with short waits again.
    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit_and_begin_again() {
        let mut waits = Waits::new();
        assert!((RETRY_MIN..=2 * RETRY_MIN).contains(&waits.next()));
        let late = (0..40).map(|_| waits.next()).last();
        assert!(late.is_some_and(|late| (RETRY_MAX..=2 * RETRY_MAX).contains(&late)));
        waits.reset();
        assert!(waits.next() <= 2 * RETRY_MIN);
    }
}

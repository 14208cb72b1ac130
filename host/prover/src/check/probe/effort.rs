//! How long a probe may go on, and how far it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The time a probe has, and its progress for whoever watches from another thread.
#[derive(Debug)]
pub struct Effort {
    /// `None` for as long as it takes.
    until: Option<Instant>,
    all: AtomicU64,
    done: AtomicU64,
}

// === impl Effort ===

impl Effort {
    /// As long as it takes.
    #[must_use]
    pub fn unbounded() -> Self {
        Self {
            until: None,
            all: AtomicU64::new(0),
            done: AtomicU64::new(0),
        }
    }

    /// At most so long from now.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self {
            // A time that no clock reaches is none.
            until: Instant::now().checked_add(time),
            ..Self::unbounded()
        }
    }

    /// Values looked at, and how many there are; zero of them before it has begun.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (read(&self.done), read(&self.all))
    }

    pub(super) fn begin(&self, values: usize) {
        self.all.store(values as u64, Ordering::Relaxed);
    }

    pub(super) fn advance(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

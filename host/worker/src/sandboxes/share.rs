//! How many sandboxes one component may have at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;
use crate::message::Key;

/// The places of every component that is being called.
#[derive(Debug)]
pub(super) struct Shares {
    each: usize,
    places: Mutex<BTreeMap<Key, Weak<Semaphore>>>,
}

// === impl Shares ===

impl Shares {
    /// All sandboxes but one for each component; where there is only one, that.
    pub(super) fn new(sandboxes: u32) -> Self {
        let sandboxes = usize::try_from(sandboxes).unwrap_or(1);
        Self {
            each: sandboxes.saturating_sub(1).max(1),
            places: Mutex::default(),
        }
    }

    /// Waits for one of the component's places; callers get them in order.
    pub(super) async fn take(&self, component: Key) -> Result<OwnedSemaphorePermit, Error> {
        let places = self.places(component);
        places.acquire_owned().await.map_err(|_| Error::Stopped)
    }

    fn places(&self, component: Key) -> Arc<Semaphore> {
        let mut table = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = table.get(&component).and_then(Weak::upgrade) {
            return places;
        }
        // Components that nobody calls any more leave here, so the table stays as short as the
        // list of callers.
        table.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(self.each));
        table.insert(component, Arc::downgrade(&places));
        places
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const ONE: Key = Key([1; 32]);
    const OTHER: Key = Key([2; 32]);

    /// A place, if there is one without waiting.
    async fn at_once(shares: &Shares, component: Key) -> Option<OwnedSemaphorePermit> {
        let taken = timeout(Duration::ZERO, shares.take(component)).await;
        taken.ok().map(Result::unwrap)
    }

    #[tokio::test]
    async fn a_component_leaves_one_sandbox_to_the_others() {
        let shares = Shares::new(3);
        let _first = shares.take(ONE).await.unwrap();
        let second = shares.take(ONE).await.unwrap();
        assert!(at_once(&shares, ONE).await.is_none());
        assert!(at_once(&shares, OTHER).await.is_some());
        drop(second);
        assert!(at_once(&shares, ONE).await.is_some());
    }

    #[tokio::test]
    async fn the_only_sandbox_is_everybodys() {
        let shares = Shares::new(1);
        let _place = shares.take(ONE).await.unwrap();
        assert!(at_once(&shares, ONE).await.is_none());
        assert!(at_once(&shares, OTHER).await.is_some());
    }

    #[tokio::test]
    async fn components_that_are_not_called_any_more_are_forgotten() {
        let shares = Shares::new(2);
        for number in 0..100 {
            drop(shares.take(Key([number; 32])).await.unwrap());
        }
        assert_eq!(shares.places.lock().unwrap().len(), 1);
    }
}

//! Places of those who watch something: so many over all, so many of one tenant, and a few of their
//! own for whoever watches health without a key.

use std::sync::Arc;

use aureole_api::{Problem, codes};
use aureole_ledger::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    limits,
    shares::{Share, Shares},
};

/// The places of a gateway; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    of_health: Arc<Semaphore>,
    of_tenants: Shares,
}

/// A place that is taken; dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _share: Option<Share>,
}

// === impl Places ===

impl Places {
    pub(crate) fn new(watchers_max: u32) -> Self {
        Self {
            all: Arc::new(Semaphore::new(watchers_max as usize)),
            of_health: Arc::new(Semaphore::new(limits::HEALTH_WATCHERS_MAX as usize)),
            of_tenants: Shares::default(),
        }
    }

    /// A place for somebody of a tenant.
    ///
    /// # Errors
    /// `node.busy` when all are taken, or the tenant has its share.
    pub(crate) fn take(&self, tenant: &TenantId) -> Result<Place, Problem> {
        let permit = permit(&self.all)?;
        let share = self.of_tenants.take(tenant, limits::WATCHERS_OF_TENANT_MAX);
        let share = share.map_err(|count| {
            let detail = format!("the tenant has {count} watchers already");
            Problem::new(codes::node::BUSY, detail)
        })?;
        Ok(Place {
            _permit: permit,
            _share: Some(share),
        })
    }

    /// A place for whoever watches health: it needs no key, so it takes nobody else's.
    ///
    /// # Errors
    /// `node.busy` when all of them are taken.
    pub(crate) fn take_of_health(&self) -> Result<Place, Problem> {
        Ok(Place {
            _permit: permit(&self.of_health)?,
            _share: None,
        })
    }
}

fn permit(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let busy = |_| Problem::new(codes::node::BUSY, "too many watch something");
    Arc::clone(of).try_acquire_owned().map_err(busy)
}

#[cfg(test)]
mod tests {
    //! Whose places are whose.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn a_tenant_that_watches_all_it_may_leaves_places_to_others() {
        let places = Places::new(limits::WATCHERS_MAX);
        let (greedy, other) = ("greedy".parse().unwrap(), "other".parse().unwrap());
        let mut taken: Vec<Place> = (0..limits::WATCHERS_OF_TENANT_MAX)
            .map(|_| places.take(&greedy).unwrap())
            .collect();
        let refused = places.take(&greedy).unwrap_err();
        assert_eq!(refused.code(), "node.busy");
        places.take(&other).unwrap();
        taken.pop();
        taken.push(places.take(&greedy).unwrap());
    }

    #[test]
    fn whoever_watches_health_takes_no_place_of_a_tenant() {
        let places = Places::new(1);
        let taken: Vec<Place> = (0..limits::HEALTH_WATCHERS_MAX)
            .map(|_| places.take_of_health().unwrap())
            .collect();
        assert_eq!(places.take_of_health().unwrap_err().code(), "node.busy");
        places.take(&"tenant".parse().unwrap()).unwrap();
        drop(taken);
        places.take_of_health().unwrap();
    }
}

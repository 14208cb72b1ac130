//! How many requests a tenant, and each of its keys, may make: a bucket of tokens for each.
//!
//! The buckets stand in this process's memory and are lost with it, which gives nobody more than one
//! bucket anew. A store that gateways share goes behind the same trait.

use std::num::NonZeroU32;
use std::time::Duration;

use async_trait::async_trait;
use aureole_ledger::TenantId;
use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::{Caller, limits};

/// Says who may ask now.
///
/// Obligations of an implementation: it answers fast, it fails open (a caller with a valid key is
/// never refused because a store is gone), and it tells callers apart by tenant and credential only.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Counts one request.
    ///
    /// # Errors
    /// How long until the next would be let through.
    async fn admit(&self, caller: &Caller) -> Result<(), Duration>;
}

/// Requests a second; a bucket holds as many as come in a second. `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Of all keys of a tenant together.
    pub tenant: Option<NonZeroU32>,
    /// Of one key.
    pub key: Option<NonZeroU32>,
}

/// Buckets in memory.
#[derive(Debug)]
pub struct MemoryLimiter {
    tenants: Option<Buckets<TenantId>>,
    keys: Option<Buckets<(TenantId, String)>>,
}

type Buckets<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

// === impl Rates ===

impl Default for Rates {
    fn default() -> Self {
        Self {
            tenant: NonZeroU32::new(limits::TENANT_RATE),
            key: NonZeroU32::new(limits::KEY_RATE),
        }
    }
}

// === impl MemoryLimiter ===

impl MemoryLimiter {
    /// Makes full buckets.
    #[must_use]
    pub fn new(rates: Rates) -> Self {
        Self {
            tenants: rates.tenant.map(buckets),
            keys: rates.key.map(buckets),
        }
    }
}

#[async_trait]
impl Limiter for MemoryLimiter {
    async fn admit(&self, caller: &Caller) -> Result<(), Duration> {
        if let Some(keys) = &self.keys {
            let key = (caller.tenant.clone(), caller.credential.to_string());
            take(keys, &key)?;
        }
        match &self.tenants {
            Some(tenants) => take(tenants, &caller.tenant),
            None => Ok(()),
        }
    }
}

fn buckets<K: Clone + Eq + std::hash::Hash>(rate: NonZeroU32) -> Buckets<K> {
    RateLimiter::hashmap(Quota::per_second(rate))
}

fn take<K: Clone + Eq + std::hash::Hash>(buckets: &Buckets<K>, key: &K) -> Result<(), Duration> {
    // Full buckets say nothing that a new one would not; as many stay as the ledger has keys.
    if buckets.len() > limits::BUCKETS_MAX as usize {
        buckets.retain_recent();
    }
    let now = DefaultClock::default().now();
    buckets
        .check_key(key)
        .map_err(|refused| refused.wait_time_from(now))
}

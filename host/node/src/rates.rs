//! Rates of requests that all gateways count together, where they share a cache.
//!
//! While the cache does not answer, each gateway counts on its own: nobody is refused, and nobody
//! passes without being counted, because a server is gone.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use aureole_gateway::{Caller, Limiter, MemoryLimiter, Rates};
use aureole_store::{Admission, Cache, CacheError, RateLimit};

/// Counts in the cache, or in memory while that is away.
pub(crate) struct SharedLimiter {
    cache: Cache,
    rates: Rates,
    alone: MemoryLimiter,
}

// === impl SharedLimiter ===

impl SharedLimiter {
    pub(crate) fn new(cache: Cache, rates: Rates) -> Self {
        Self {
            cache,
            rates,
            alone: MemoryLimiter::new(rates),
        }
    }

    async fn together(&self, caller: &Caller) -> Result<Result<(), Duration>, CacheError> {
        let (tenant, credential) = (&caller.tenant, &caller.credential);
        let buckets = [
            (format!("key/{tenant}/{credential}"), self.rates.key),
            (format!("tenant/{tenant}"), self.rates.tenant),
        ];
        for (name, rate) in buckets {
            let Some(rate) = rate.map(std::num::NonZero::get) else {
                continue;
            };
            let limit = RateLimit {
                per_second: rate,
                burst: rate,
            };
            if let Admission::Later(wait) = self.cache.take(&name, limit, 1).await? {
                return Ok(Err(wait));
            }
        }
        Ok(Ok(()))
    }
}

#[async_trait]
impl Limiter for SharedLimiter {
    async fn admit(&self, caller: &Caller) -> Result<(), Duration> {
        match self.together(caller).await {
            Ok(admitted) => return admitted,
            Err(error) => {
                let error: &dyn Error = &error;
                tracing::debug!(error, "requests are counted by this gateway alone");
            }
        }
        self.alone.admit(caller).await
    }
}

#[cfg(test)]
mod tests {
    //! A cache that is away lets callers through, and counts them here.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::num::NonZeroU32;

    use super::*;
    use aureole_gateway::Credential;
    use aureole_ledger::{Role, TenantId};
    use aureole_store::CacheConfig;

    #[tokio::test]
    async fn without_its_cache_a_gateway_counts_alone() {
        let config = CacheConfig {
            url: "redis://127.0.0.1:1".to_owned(),
            password: None,
            prefix: "test".to_owned(),
        };
        let rates = Rates {
            tenant: NonZeroU32::new(3),
            key: None,
        };
        let limiter = SharedLimiter::new(Cache::new(&config).unwrap(), rates);
        let caller = |tenant: &str| Caller {
            tenant: TenantId::new(tenant).unwrap(),
            role: Role::Submitter,
            credential: Credential::Token("somebody".to_owned()),
        };
        let loud = caller("loud");
        let mut refused = 0;
        for _ in 0..20 {
            refused += u32::from(limiter.admit(&loud).await.is_err());
        }
        assert!(refused > 0, "nobody counted");
        assert_eq!(limiter.admit(&caller("quiet")).await, Ok(()));
    }
}

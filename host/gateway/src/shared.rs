//! What every request reaches: the platform, the settings, the budgets.

use std::{sync::Arc, time::Duration};

use aureole_api::Problem;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{Config, Limiter, Platform, shares::Shares, watch::Hub};

/// Cheap to clone; clones share everything.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) platform: Arc<dyn Platform>,
    pub(crate) config: Arc<Config>,
    /// Bytes of JSON bodies that may still be read at the same time.
    pub(crate) json_budget: Arc<Semaphore>,
    /// How often callers may ask.
    pub(crate) limiter: Arc<dyn Limiter>,
    /// Requests that tenants have in work.
    pub(crate) at_work: Shares,
    /// Requests that may still be taken.
    pub(crate) requests: Arc<Semaphore>,
    /// The tasks that are watched.
    pub(crate) hub: Hub,
    pub(crate) stopping: CancellationToken,
}

// === impl Shared ===

impl Shared {
    pub(crate) fn new(
        platform: Arc<dyn Platform>,
        limiter: Arc<dyn Limiter>,
        config: Config,
        stopping: CancellationToken,
    ) -> Self {
        let budget = usize::try_from(config.json_in_flight_max).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            platform,
            limiter,
            at_work: Shares::default(),
            json_budget: Arc::new(Semaphore::new(budget.min(Semaphore::MAX_PERMITS))),
            requests: Arc::new(Semaphore::new(config.requests_max as usize)),
            hub: Hub::new(config.watchers_max),
            config: Arc::new(config),
            stopping,
        }
    }

    /// Runs a call that waits. When the gateway stops meanwhile, the wait is dropped and the call
    /// made again without one: the caller gets the state of that moment, not a broken connection.
    pub(crate) async fn waiting<T, F>(
        &self,
        wait: Duration,
        call: impl Fn(Duration) -> F,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        if wait.is_zero() {
            return call(wait).await;
        }
        tokio::select! {
            biased;
            answer = call(wait) => answer,
            () = self.stopping.cancelled() => call(Duration::ZERO).await,
        }
    }
}

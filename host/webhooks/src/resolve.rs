//! From a name to its addresses: asked once for each attempt, and what is said is what is used.

use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::limits::{ADDRESSES_MAX, LOOK_UPS_MAX};

/// Looks names up.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a name, in the order they should be tried in.
    ///
    /// # Errors
    /// [`ResolveError`]: the name has none, the resolver does not answer, or it was not asked.
    async fn resolve(&self, name: &str, port: u16) -> Result<Vec<IpAddr>, ResolveError>;
}

/// Why a name led nowhere.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// It was not asked for: too many names are being looked up.
    #[error("{max} names are being looked up, the most at a time")]
    Busy {
        /// The most at a time.
        max: u64,
    },
    /// What the resolver said.
    #[error(transparent)]
    Failed(#[from] io::Error),
}

/// The machine's own resolver; clones share its limit.
///
/// A look-up is a call that holds a thread until it ends, whoever has stopped waiting for it. Its
/// permit stays with that thread: names whose servers are silent never take more of them.
#[derive(Clone, Debug)]
pub struct SystemResolver {
    permits: Arc<Semaphore>,
}

// === impl SystemResolver ===

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(LOOK_UPS_MAX)),
        }
    }
}

impl SystemResolver {
    /// Runs a look-up on a thread, if one more may be taken.
    async fn on_thread(
        &self,
        look_up: impl FnOnce() -> io::Result<Vec<IpAddr>> + Send + 'static,
    ) -> Result<Vec<IpAddr>, ResolveError> {
        let busy = |_| ResolveError::Busy {
            max: LOOK_UPS_MAX as u64,
        };
        let permit = Arc::clone(&self.permits)
            .try_acquire_owned()
            .map_err(busy)?;
        let found = tokio::task::spawn_blocking(move || {
            let found = look_up();
            drop(permit);
            found
        });
        Ok(found.await.map_err(io::Error::other)??)
    }
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str, port: u16) -> Result<Vec<IpAddr>, ResolveError> {
        let name = name.to_owned();
        self.on_thread(move || {
            let found = (name.as_str(), port).to_socket_addrs()?;
            let found = found.map(|address| address.ip());
            Ok(found.take(ADDRESSES_MAX).collect())
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    //! Look-ups that nobody waits for any more.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use std::future::Future as _;
    use std::sync::mpsc;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn look_ups_that_were_given_up_hold_their_threads_and_no_more_are_taken() {
        let resolver = SystemResolver::default();
        let mut ends = Vec::new();
        for _ in 0..LOOK_UPS_MAX {
            let (end, silent) = mpsc::channel::<()>();
            ends.push(end);
            let mut look_up = Box::pin(resolver.on_thread(move || {
                let _ended = silent.recv();
                Ok(Vec::new())
            }));
            let polled = look_up
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            // The caller's patience is over; the thread goes on.
            drop(look_up);
        }
        let refused = resolver.resolve("localhost", 443).await.unwrap_err();
        assert!(
            matches!(refused, ResolveError::Busy { max: 16 }),
            "{refused}"
        );
        drop(ends.pop());
        let permit = resolver.permits.acquire().await.unwrap();
        drop(permit);
        assert!(!resolver.resolve("localhost", 443).await.unwrap().is_empty());
    }
}

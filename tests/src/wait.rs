//! Waiting within a bound for what another process does.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use anyhow::bail;

/// How long a story waits for anything: a slow machine that runs all tests at once makes a proof
/// within it. Only a failure takes this long.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How often a condition is looked at: other processes cannot tell us when it comes true.
const LOOK: Duration = Duration::from_millis(20);

/// Looks until there is something to see, and returns it.
///
/// # Errors
/// When nothing was seen within [`PATIENCE`], named by `what`; the look's own error at once.
pub async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let start = Instant::now();
    loop {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        if start.elapsed() > PATIENCE {
            bail!("waited {} s for {what}, in vain", PATIENCE.as_secs());
        }
        tokio::time::sleep(LOOK).await;
    }
}

//! Waiting for a task over restarts of the node.

use std::time::Duration;

use aureole_api::rest::Task;
use tokio::time::{Instant, sleep};

use crate::{Client, Error};

/// How long one long poll waits. It ends at once when the task does; between, half a second lets
/// `seen` follow the stages, which last for seconds at most sizes.
pub(crate) const POLL: Duration = Duration::from_millis(500);

/// The first pause after a node that does not answer; it doubles up to [`PAUSE_MAX`].
pub(crate) const PAUSE_FIRST: Duration = Duration::from_millis(100);

/// A restarting node is back within seconds.
pub(crate) const PAUSE_MAX: Duration = Duration::from_secs(2);

// === impl Client ===

impl Client {
    /// Waits until a task is final. `seen` gets the task whenever its state, stage or number of
    /// attempts changed, the first and the final state included. A node that is away or busy
    /// meanwhile is asked again until `within` has passed.
    ///
    /// # Errors
    /// [`Error::Unfinished`] after `within`; the last error when the node is away at the end;
    /// a refusal at once.
    ///
    /// # Cancel safety
    /// Dropping the call stops the waiting only; the task goes on.
    pub async fn wait_task(
        &self,
        id: &str,
        within: Duration,
        mut seen: impl FnMut(&Task),
    ) -> Result<Task, Error> {
        let start = Instant::now();
        let mut known = None;
        let mut pause = PAUSE_FIRST;
        loop {
            let left = within.saturating_sub(start.elapsed());
            // The first look is for the state as it is.
            let failure = match self
                .task_once(
                    id,
                    left.min(if known.is_some() {
                        POLL
                    } else {
                        Duration::ZERO
                    }),
                )
                .await
            {
                Ok(task) => {
                    pause = PAUSE_FIRST;
                    if known.as_ref().is_none_or(|known| changed(known, &task)) {
                        seen(&task);
                    }
                    if task.state.is_final() {
                        return Ok(task);
                    }
                    known = Some(task);
                    None
                }
                Err(error) if error.is_transient() => Some(error),
                Err(error) => return Err(error),
            };
            let left = within.saturating_sub(start.elapsed());
            if left.is_zero() {
                let seconds = within.as_secs();
                let unfinished = || Error::Unfinished {
                    task: id.to_owned(),
                    seconds,
                };
                return Err(failure.unwrap_or_else(unfinished));
            }
            if failure.is_some() {
                sleep(pause.min(left)).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

fn changed(known: &Task, task: &Task) -> bool {
    known.state != task.state
        || known.stage != task.stage
        || known.attempts.len() != task.attempts.len()
}

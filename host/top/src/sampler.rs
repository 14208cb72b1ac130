//! Asking: one look at a time, by the public REST API.

use aureole_client::rest::{TaskState, Timestamp};
use aureole_client::{Client, Error, TaskQuery};

use crate::limits::{FIRST_PAGES_MAX, LATER_PAGES_MAX, MINUTES, PAGE};
use crate::{Frame, Recent, Stats};

/// Looks at a cluster again and again.
#[derive(Debug)]
pub struct Sampler {
    client: Client,
    recent: Recent,
    looked: bool,
}

// === impl Sampler ===

impl Sampler {
    /// Of the cluster behind a node.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            recent: Recent::default(),
            looked: false,
        }
    }

    /// Looks once.
    ///
    /// # Errors
    /// [`Error::Problem`] with `access.forbidden` when the caller is no administrator; see [`Error`]
    /// for the rest.
    pub async fn look(&mut self) -> Result<Frame, Error> {
        let overview = self.client.overview().await?;
        let health = self.client.ready().await?;
        // The leader's clock is the one that tasks' times are told by.
        let now = overview.at.millis();
        let since = now.saturating_sub(u64::from(MINUTES) * 60_000);
        for state in [TaskState::Done, TaskState::Failed] {
            self.read(state, since).await?;
        }
        self.looked = true;
        self.recent.forget(since);
        Ok(Frame {
            node: self.client.base().to_owned(),
            ready: health.ready,
            version: health.version,
            checks: health.checks,
            overview,
            recent: Stats::of(&self.recent, now),
        })
    }

    /// Reads what ended so since the look before.
    async fn read(&mut self, state: TaskState, since: u64) -> Result<(), Error> {
        let pages_max = match self.looked {
            false => FIRST_PAGES_MAX,
            true => LATER_PAGES_MAX,
        };
        let mut query = TaskQuery {
            state: Some(state),
            since: Some(Timestamp::from_millis(since)),
            limit: Some(PAGE),
            ..TaskQuery::default()
        };
        for page in 1..=pages_max {
            let found = self.client.tasks(&query).await?;
            let oldest = found.tasks.last().map(|task| task.submitted_at.millis());
            let known = self.recent.take(found.tasks);
            query.before = found.next;
            if query.before.is_none() || known {
                break;
            }
            if page == pages_max {
                self.recent.miss(oldest.unwrap_or(since));
            }
        }
        Ok(())
    }
}

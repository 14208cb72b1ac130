//! Where finished tasks go, and what is done while they cannot go there.
//!
//! | group | archive | the ledger holds | when it is full |
//! |---|---|---|---|
//! | of one | SQLite below the data directory, or PostgreSQL | what ended in the last hour, at most `ledger_tasks` | submissions are refused until the archive answers |
//! | larger, with PostgreSQL | PostgreSQL, by whoever leads | likewise | likewise |
//! | larger, without | none | the newest `buffer_tasks` | the oldest are forgotten |
//!
//! A group of one whose history is a file takes no other member: none could read it.

use std::sync::Arc;

use aureole_api::{Problem, codes};
use aureole_store::{ArchivePlace, Cache, Retention, SharedArchive, open_archive};

use crate::config::Config;
use crate::node::StartError;

/// History as this process knows it; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct History(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    archive: Option<SharedArchive>,
    /// Whether every member sees the same archive.
    shared: bool,
    retention: Retention,
    ledger_tasks: u64,
    buffer_tasks: u64,
    cache: Option<Cache>,
}

// === impl History ===

impl History {
    /// Opens the archive that the configuration names.
    pub(crate) async fn open(config: &Config, cache: Option<Cache>) -> Result<Self, StartError> {
        let place = config.archive_place()?;
        let archive = match &place {
            Some(place) => Some(open_archive(place).await?),
            None => {
                tracing::warn!(
                    kept = config.archive.buffer_tasks,
                    "archive.url is not set: the ledger keeps the newest finished tasks, older ones are \
                     forgotten"
                );
                None
            }
        };
        Ok(Self(Arc::new(Parts {
            archive,
            shared: matches!(place, Some(ArchivePlace::Postgres(_))),
            retention: config.archive.retention(),
            ledger_tasks: config.archive.ledger_tasks,
            buffer_tasks: config.archive.buffer_tasks,
            cache,
        })))
    }

    /// The archive, if this process has one.
    pub(crate) fn archive(&self) -> Option<&SharedArchive> {
        self.0.archive.as_ref()
    }

    /// The archive that a group of so many members archives to.
    pub(crate) fn archive_of(&self, members: usize) -> Option<&SharedArchive> {
        self.archive().filter(|_| self.0.shared || members == 1)
    }

    /// How long history is kept.
    pub(crate) fn retention(&self) -> &Retention {
        &self.0.retention
    }

    /// What keeps two members from sweeping at once.
    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.0.cache.as_ref()
    }

    /// Finished tasks that stay in the ledger for a while.
    pub(crate) fn ledger_tasks(&self) -> u64 {
        self.0.ledger_tasks
    }

    /// Finished tasks that the ledger holds at the most.
    pub(crate) fn buffer_tasks(&self) -> u64 {
        self.0.buffer_tasks
    }

    /// Refuses a submission while so many finished tasks wait for the archive that no more may. A group
    /// without an archive forgets the oldest instead.
    pub(crate) fn admit(&self, finished: u64, members: usize) -> Result<(), Problem> {
        if self.archive_of(members).is_none() || finished < self.0.buffer_tasks {
            return Ok(());
        }
        let detail =
            format!("{finished} finished tasks wait for the archive, which does not answer");
        Err(Problem::new(codes::node::ARCHIVE_BEHIND, detail))
    }

    /// Whether a tenth of the room for finished tasks is left at the most.
    pub(crate) fn is_nearly_full(&self, finished: u64, members: usize) -> bool {
        self.archive_of(members).is_some()
            && finished >= self.0.buffer_tasks - self.0.buffer_tasks / 10
    }

    pub(crate) async fn close(&self) {
        if let Some(archive) = self.archive() {
            archive.close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    //! When submissions are refused, and which archive is whose.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    async fn history(text: &str) -> History {
        let config: Config = toml::from_str(text).unwrap();
        History::open(&config.validate().unwrap(), None)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_full_buffer_refuses_by_name_and_is_told_before() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "data_dir = {:?}\n[archive]\nledger_tasks = 10\nbuffer_tasks = 100\n",
            folder.path()
        );
        let history = history(&text).await;
        history.admit(99, 1).unwrap();
        let problem = history.admit(100, 1).unwrap_err();
        assert!(problem.is(codes::node::ARCHIVE_BEHIND), "{problem}");
        assert_eq!(problem.status(), 503);
        assert!(problem.retry_seconds().is_some());
        assert!(!history.is_nearly_full(89, 1) && history.is_nearly_full(90, 1));
        // Those of a larger group do not wait for a file of one: the oldest are forgotten.
        history.admit(100, 3).unwrap();
        assert!(!history.is_nearly_full(90, 3));
        assert!(history.archive_of(1).is_some());
        assert!(
            history.archive_of(3).is_none(),
            "a file of one is no archive of three"
        );
        history.close().await;
    }

    #[tokio::test]
    async fn a_group_without_an_archive_forgets_and_does_not_refuse() {
        let member =
            "[cluster]\nid = 1\nfounding = \"founders\"\nmembers = { 1 = \"10.0.0.1:7400\" }\n";
        let history = history(member).await;
        history.admit(u64::MAX, 3).unwrap();
        assert!(!history.is_nearly_full(u64::MAX, 3));
        assert!(history.archive().is_none() && history.archive_of(3).is_none());
    }

    #[tokio::test]
    async fn a_database_is_every_members() {
        let away = "[archive]\nurl = \"postgres://u@127.0.0.1:1/d\"\n";
        let history = history(away).await;
        assert!(history.archive_of(3).is_some());
    }
}

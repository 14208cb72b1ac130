//! Whether this member had to stop by itself, and why: for the process, which should end.

use std::sync::Arc;

use openraft::RaftMetrics;
use tokio::sync::{OnceCell, watch};

use crate::raft::{Member, Raft};

/// Set once, with the reason.
#[derive(Clone, Debug)]
pub(crate) struct Halt {
    reason: watch::Sender<Option<String>>,
    /// Raft is shut down once, whoever wants it first.
    ended: Arc<OnceCell<()>>,
}

// === impl Halt ===

impl Halt {
    pub(crate) fn new() -> Self {
        Self {
            reason: watch::Sender::new(None),
            ended: Arc::default(),
        }
    }

    /// Shuts Raft down, or waits for the end of a shutdown that is under way.
    pub(crate) async fn end(&self, raft: &Raft) {
        let shut_down = async {
            if let Err(error) = raft.shutdown().await {
                tracing::error!(%error, "raft did not end well");
            }
        };
        self.ended.get_or_init(|| shut_down).await;
    }

    /// Stops Raft for a reason. The first reason counts.
    pub(crate) fn stop(&self, raft: &Raft, reason: String) {
        let first = self.reason.send_if_modified(|stands| {
            let first = stands.is_none();
            if first {
                tracing::error!(reason, "the coordinator stops");
                *stands = Some(reason);
            }
            first
        });
        if first {
            let (halt, raft) = (self.clone(), raft.clone());
            tokio::spawn(async move { halt.end(&raft).await });
        }
    }

    /// Returns the reason, if there is one.
    pub(crate) fn reason(&self) -> Option<String> {
        self.reason.borrow().clone()
    }

    /// Waits until this member has stopped, by itself or because it was told to, and says why.
    pub(crate) async fn stopped(&self, raft: &Raft) -> String {
        let mut reason = self.reason.subscribe();
        let mut metrics = raft.metrics();
        let runs = |metrics: &RaftMetrics<u64, Member>| metrics.running_state.is_ok();
        let ended = tokio::select! {
            // First: whoever stops Raft for a reason says it before.
            biased;
            Ok(reason) = reason.wait_for(Option::is_some) => {
                reason.clone().unwrap_or_else(|| "no reason".to_owned())
            }
            ended = metrics.wait_for(|metrics| !runs(metrics)) => match ended {
                Ok(metrics) => match &metrics.running_state {
                    Err(fatal) => fatal.to_string(),
                    Ok(()) => "raft has ended".to_owned(),
                },
                Err(_) => "raft has ended".to_owned(),
            },
        };
        self.reason().unwrap_or(ended)
    }
}

#[cfg(test)]
mod tests {
    //! A member that stopped by itself is shut down once, also when its process then stops it.

    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::fmt;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use crate::config::Config;
    use crate::dial::DialNothing;
    use crate::start::member;

    /// Counts the lines in which openraft complains of a second shutdown.
    #[derive(Clone, Default)]
    struct Complaints(Arc<AtomicUsize>);

    impl Visit for &Complaints {
        fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
            if format!("{value:?}").contains("Double call") {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    impl Subscriber for Complaints {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            event.record(&mut &*self);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[tokio::test]
    async fn raft_is_shut_down_once() {
        let complaints = Complaints::default();
        let _heard = tracing::subscriber::set_default(complaints.clone());
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::new(1, dir.path().join("raft"));
        config.cluster = "tests".to_owned();
        let started = member(&config, Arc::new(DialNothing)).await.unwrap();
        let group = &started.group;
        group.halt.stop(&group.raft, "it had to".to_owned());
        group.halt.stop(&group.raft, "and again".to_owned());
        assert_eq!(group.halt.stopped(&group.raft).await, "it had to");
        group.halt.end(&group.raft).await;
        group.halt.end(&group.raft).await;
        assert_eq!(complaints.0.load(Ordering::SeqCst), 0);
        // What would be heard.
        group.raft.shutdown().await.unwrap();
        assert_eq!(complaints.0.load(Ordering::SeqCst), 1);
    }
}

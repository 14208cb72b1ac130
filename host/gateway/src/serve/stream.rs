//! Answers that go on: their request is in work until the last byte, as long as somebody reads.
//!
//! A body is asked for its next part only while the peer takes the last one. So one that is not
//! asked for long, though it has something to say at every heartbeat, has a peer that does not
//! read: its request counts as ended, and the connection's own deadlines close it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use tokio::{sync::Notify, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::watch::places::Place;

/// Marks an answer that goes on, as an extension of its response; it holds the watcher's place as
/// long as somebody reads.
#[derive(Clone, Debug)]
pub(crate) struct Streaming {
    _place: Arc<Place>,
}

/// A body that holds something as long as it is read.
#[derive(Debug)]
struct Held {
    body: Body,
    asked: Arc<Notify>,
    _watchdog: AbortOnDropHandle<()>,
}

// === impl Streaming ===

impl Streaming {
    pub(crate) fn new(place: Place) -> Self {
        Self {
            _place: Arc::new(place),
        }
    }
}

/// Holds `what` until the body ends or is dropped, or was not asked for a part for `stall_max`.
pub(super) fn hold<T: Send + 'static>(body: Body, what: T, stall_max: Duration) -> Body {
    let asked = Arc::new(Notify::new());
    let seen = Arc::clone(&asked);
    let watchdog = tokio::spawn(async move {
        while timeout(stall_max, seen.notified()).await.is_ok() {}
        drop(what);
    });
    Body::new(Held {
        body,
        asked,
        _watchdog: AbortOnDropHandle::new(watchdog),
    })
}

impl hyper::body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.asked.notify_one();
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    //! How long a body holds what it was given.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use std::time::Instant;

    use futures::{StreamExt as _, stream};
    use tokio::time::{interval, sleep};

    use super::*;

    const STALL: Duration = Duration::from_millis(200);

    /// Resolves when what goes with it is dropped.
    fn held() -> (Arc<()>, impl Future<Output = ()>) {
        let held = Arc::new(());
        let weak = Arc::downgrade(&held);
        let gone = async move {
            while weak.strong_count() > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        (held, gone)
    }

    #[tokio::test]
    async fn a_body_that_is_not_asked_for_more_holds_nothing_for_long() {
        let (what, gone) = held();
        let endless = stream::pending::<Result<Bytes, std::io::Error>>();
        let start = Instant::now();
        let body = hold(Body::from_stream(endless), what, STALL);
        timeout(STALL * 50, gone).await.unwrap();
        assert!(start.elapsed() >= STALL);
        drop(body);
    }

    #[tokio::test]
    async fn a_body_that_is_read_holds_to_its_end() {
        let (what, gone) = held();
        let ticks = interval(STALL / 10);
        let parts = stream::unfold(ticks, |mut ticks| async move {
            ticks.tick().await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b".")), ticks))
        });
        let seen = Arc::downgrade(&what);
        let body = hold(Body::from_stream(parts.take(40)), what, STALL);
        let mut parts = body.into_data_stream();
        while parts.next().await.is_some() {
            assert_eq!(seen.strong_count(), 1);
        }
        drop(parts);
        timeout(STALL * 50, gone).await.unwrap();
    }
}

//! How long a verb may take, and when the search for a leader ends.
//!
//! Whoever asked is answered within [`ANSWER_WITHIN`] of what the verb itself may take, whatever is cut
//! or stands still. A try lasts as long as there is time and its connection lives: the leader that
//! holds a request is asked once, and asked again, or another, when the connection to it died.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

/// How long a request waits for a leader before it is refused: an election takes about a second, and
/// whoever is refused tries again anyway.
pub(super) const LEADER_WAIT: Duration = Duration::from_secs(5);

/// How long an answer takes at the most, beyond what the request asked to wait: the search for a
/// leader, and a verb of the last one that was found. With a second to travel it is 8 s outside.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(7);

/// The longest that a verb may take that runs a child or carries many bytes: a check of an input may
/// take 55 s, and the gateway's callers stay for 60.
const LONG_MAX: Duration = Duration::from_secs(90);

/// Until when after a submission its answer waits for the verdict on the input: what is left is for
/// storing the input and for the answer to travel.
pub(super) const VERDICT_WITHIN: Duration = Duration::from_millis(5_500);

/// The first and the longest pause between tries.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(300);

/// What a verb takes by its nature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Facts are looked up or committed.
    Prompt,
    /// It was asked to wait for so long.
    Waiting(Duration),
    /// A child runs, or many bytes travel.
    Long,
}

/// Tries until there is an answer or patience ends.
pub(super) struct Tries {
    waits: ExponentialBackoff,
    asked: Instant,
    /// When the try under way began.
    began: Instant,
    /// When the search for a leader ends, if none is found.
    search: Instant,
    /// When there is an answer, come what may.
    until: Instant,
}

/// What is left of a wait, however often it begins again.
#[derive(Clone, Copy)]
pub(super) struct Wait {
    until: Option<Instant>,
}

// === impl Pace ===

impl Pace {
    /// How long the whole takes at the most.
    pub(super) fn longest(self) -> Duration {
        match self {
            Self::Prompt => ANSWER_WITHIN,
            Self::Waiting(wait) => wait.saturating_add(ANSWER_WITHIN).min(LONG_MAX),
            Self::Long => LONG_MAX,
        }
    }
}

// === impl Tries ===

impl Tries {
    pub(super) fn new(pace: Pace) -> Self {
        let now = Instant::now();
        Self {
            waits: waits(),
            asked: now,
            began: now,
            search: now + LEADER_WAIT,
            until: now + pace.longest(),
        }
    }

    /// A try begins; returns how long it may take.
    pub(super) fn begin(&mut self) -> Duration {
        self.began = Instant::now();
        self.until.saturating_duration_since(self.began)
    }

    /// How long ago the request came in.
    pub(super) fn took(&self) -> Duration {
        self.asked.elapsed()
    }

    /// After a try without an answer: waits a little; false when patience ended.
    pub(super) async fn pause(&mut self) -> bool {
        let now = Instant::now();
        // What ran for long had a leader: the search for the next one begins now.
        if now.duration_since(self.began) > LEADER_WAIT {
            self.search = now + LEADER_WAIT;
            self.waits = waits();
        }
        let wait = self.waits.next().unwrap_or(PAUSE_MAX);
        if now + wait >= self.search.min(self.until) {
            return false;
        }
        tokio::time::sleep(wait).await;
        true
    }
}

fn waits() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(PAUSE_MIN)
        .with_max_delay(PAUSE_MAX)
        .with_jitter()
        .without_max_times()
        .build()
}

// === impl Wait ===

impl Wait {
    pub(super) fn new(wait: Duration) -> Self {
        Self {
            until: Instant::now().checked_add(wait),
        }
    }

    pub(super) fn left(self) -> Duration {
        let left = |until: Instant| until.saturating_duration_since(Instant::now());
        self.until.map_or(Duration::MAX, left)
    }
}

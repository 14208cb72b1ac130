//! Following a task as a stream: by the node's events, and by asking where there are none.
//!
//! ```text
//!           ┌── ended, stopping, lagged: come back with Last-Event-ID ──┐
//!   open ──▶ listen ──▶ told ──▶ … ──▶ the end of the task               │
//!    │ busy, away: ask meanwhile, come back ◀──────────────────────────┘
//!    └ no such route, no such stream, silence: ask from now on
//! ```

use std::time::Duration;

use aureole_api::{
    codes::request,
    rest::{Task, TaskEvent, TaskState},
};
use futures::{Stream, stream};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    Client, Error,
    events::{Events, News},
    wait::{PAUSE_FIRST, PAUSE_MAX, POLL},
};

/// How long a node that has no place for one more watcher, or is away, is asked before its events
/// are tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// One task followed.
#[derive(Debug)]
struct Watch {
    client: Client,
    task: String,
    within: Duration,
    begun: Instant,
    source: Source,
    /// The name of the last event, for the next connection.
    heard: Option<String>,
    /// What was given last.
    given: Option<TaskEvent>,
    /// What the node did not answer with last, if it did not.
    failure: Option<Error>,
    pause: Duration,
    ended: bool,
}

/// Where news come from.
#[derive(Debug)]
enum Source {
    /// From questions, until the events are tried again.
    Shut { until: Instant },
    /// From an open stream.
    Open(Box<Events>),
    /// From questions for good: what is between has no events.
    Asked,
}

/// What one step gave.
#[derive(Debug)]
enum Step {
    News(Box<TaskEvent>),
    Nothing,
    /// Nothing, and the next step is not to be made at once.
    Rest,
}

// === impl Client ===

impl Client {
    /// Follows a task: a stream of where it stands, with an estimate of what remains, its end last.
    ///
    /// The node tells it as it happens, over one connection. One that breaks is made again and says
    /// what was heard; a node that has no place for one more watcher, or something between that
    /// passes no events, is asked instead, and such news come without an estimate. It goes on over
    /// restarts of the node, and dropping it stops the watching, not the task.
    ///
    /// # Errors
    /// An error is the stream's last item: [`Error::Unfinished`] after `within`, or the last failure
    /// when the node is away then; a refusal at once.
    pub fn watch(
        &self,
        task: &str,
        within: Duration,
    ) -> impl Stream<Item = Result<TaskEvent, Error>> + Send + 'static {
        let begun = Instant::now();
        let watch = Watch {
            client: self.clone(),
            task: task.to_owned(),
            within,
            begun,
            source: Source::Shut { until: begun },
            heard: None,
            given: None,
            failure: None,
            pause: PAUSE_FIRST,
            ended: false,
        };
        stream::unfold(watch, |mut watch| async move {
            let item = watch.next().await?;
            Some((item, watch))
        })
    }
}

// === impl Watch ===

impl Watch {
    async fn next(&mut self) -> Option<Result<TaskEvent, Error>> {
        while !self.ended {
            let left = self.within.saturating_sub(self.begun.elapsed());
            if left.is_zero() {
                break;
            }
            let rest = match timeout(left, self.step()).await {
                Ok(Ok(Step::News(event))) => {
                    self.pause = PAUSE_FIRST;
                    self.ended = event.state.is_final();
                    self.given = Some((*event).clone());
                    return Some(Ok(*event));
                }
                Ok(Ok(Step::Nothing)) => false,
                Ok(Ok(Step::Rest)) => true,
                Ok(Err(error)) if error.is_transient() => {
                    self.failure = Some(error);
                    true
                }
                Ok(Err(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                Err(_) => break,
            };
            if rest {
                let left = self.within.saturating_sub(self.begun.elapsed());
                sleep(self.pause.min(left)).await;
                self.pause = (self.pause * 2).min(PAUSE_MAX);
            }
        }
        if self.ended {
            return None;
        }
        self.ended = true;
        let unfinished = || Error::Unfinished {
            task: self.task.clone(),
            seconds: self.within.as_secs(),
        };
        Some(Err(self.failure.take().unwrap_or_else(unfinished)))
    }

    async fn step(&mut self) -> Result<Step, Error> {
        match &mut self.source {
            Source::Open(events) => {
                let news = events.next().await;
                self.hear(news)
            }
            Source::Shut { until } if *until <= Instant::now() => self.open().await,
            Source::Shut { .. } | Source::Asked => self.ask().await,
        }
    }

    async fn open(&mut self) -> Result<Step, Error> {
        match Events::open(&self.client, &self.task, self.heard.as_deref()).await {
            Ok(Some(events)) => {
                self.failure = None;
                self.source = Source::Open(Box::new(events));
            }
            // The node thinks that all was heard, which it was not: a fresh look shows it.
            Ok(None) => {
                self.heard = None;
                self.source = Source::Asked;
            }
            Err(error) if error.is_transient() => {
                self.failure = Some(error);
                self.shut(AGAIN);
            }
            Err(error) if has_no_events(&error) => self.source = Source::Asked,
            Err(error) => return Err(error),
        }
        Ok(Step::Nothing)
    }

    /// What was heard on an open stream.
    fn hear(&mut self, news: Result<News, Error>) -> Result<Step, Error> {
        match news {
            Ok(News::Stands(id, event)) => {
                self.heard = id;
                if self.given.as_ref() == Some(&*event) {
                    return Ok(Step::Nothing);
                }
                Ok(Step::News(event))
            }
            Ok(News::Lagged) => {
                self.shut(Duration::ZERO);
                Ok(Step::Nothing)
            }
            Ok(News::Over) => {
                self.shut(Duration::ZERO);
                Ok(Step::Rest)
            }
            Err(Error::Timeout { .. }) => {
                self.source = Source::Asked;
                Ok(Step::Nothing)
            }
            Err(error) => {
                self.shut(Duration::ZERO);
                Err(error)
            }
        }
    }

    fn shut(&mut self, during: Duration) {
        let until = Instant::now() + during;
        self.source = Source::Shut { until };
    }

    async fn ask(&mut self) -> Result<Step, Error> {
        // The first look is for the state as it is.
        let wait = match self.given {
            Some(_) => POLL,
            None => Duration::ZERO,
        };
        let task = self.client.task_once(&self.task, wait).await?;
        self.failure = None;
        let event = stands(task);
        let same = |given: &TaskEvent| {
            (given.state, given.stage, given.attempt) == (event.state, event.stage, event.attempt)
        };
        if !self.given.as_ref().is_some_and(same) {
            return Ok(Step::News(Box::new(event)));
        }
        Ok(Step::Nothing)
    }
}

/// Whether what answered knows no events: an older node, or something between that passes none.
fn has_no_events(error: &Error) -> bool {
    match error {
        Error::Foreign { .. } => true,
        Error::Problem { problem, .. } => problem.is(request::ROUTE) || problem.is(request::METHOD),
        _ => false,
    }
}

/// Where a task stands, as an event says it.
fn stands(task: Task) -> TaskEvent {
    TaskEvent {
        task: task.id,
        state: task.state,
        stage: task.stage.filter(|_| task.state == TaskState::Running),
        attempt: task.attempts.last().map_or(0, |attempt| attempt.attempt),
        summary: None,
        starts_in_ms: None,
        ends_in_ms: None,
        error: task.error,
    }
}

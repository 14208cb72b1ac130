//! Text of a request's path, query and headers, parsed into types that cannot be wrong.

use std::{str::FromStr, time::Duration};

use aureole_api::{
    Problem,
    codes::request,
    rest::{PluginRef, TaskState, Timestamp},
};
use aureole_ledger::{CircuitId, Millis, TaskId, WebhookId, WorkerId};
use axum::{
    extract::{FromRequestParts, Path, Query},
    http::{HeaderMap, HeaderName, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{Sort, TaskFilter, answer::Refusal, limits};

/// The header of an idempotent submission.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A query of which every key is known and stands once.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

/// The lone segment of a path that varies, decoded.
#[derive(Debug)]
pub(crate) struct Segment(String);

/// The name and version in a path.
#[derive(Debug)]
pub(crate) struct Versioned(pub(crate) PluginRef);

/// A webhook and a task in a path.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) webhook: WebhookId,
    pub(crate) task: TaskId,
}

/// A query that asks for nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A query that may ask to wait.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wait {
    wait: Option<String>,
}

/// A query of the list of tasks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    pub(crate) state: Option<String>,
    pub(crate) plugin: Option<String>,
    pub(crate) circuit: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
    pub(crate) sort: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) limit: Option<String>,
}

/// A query of the trail.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acts {
    before: Option<String>,
    limit: Option<String>,
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(refused) => Err(Problem::new(request::QUERY, refused.body_text()).into()),
        }
    }
}

impl<S: Sync + Send> FromRequestParts<S> for Segment {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(refused) => Err(Problem::new(request::PATH, refused.body_text()).into()),
        }
    }
}

impl<S: Sync + Send> FromRequestParts<S> for Versioned {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path: Result<Path<(String, String)>, _> = Path::from_request_parts(parts, state).await;
        let Path((name, version)) =
            path.map_err(|refused| Problem::new(request::PATH, refused.body_text()))?;
        let plugin = PluginRef::named(&name, Some(&version));
        Ok(Self(plugin.map_err(|error| {
            Problem::new(request::ID, error.to_string())
        })?))
    }
}

impl<S: Sync + Send> FromRequestParts<S> for Event {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path: Result<Path<(String, String)>, _> = Path::from_request_parts(parts, state).await;
        let Path((webhook, task)) =
            path.map_err(|refused| Problem::new(request::PATH, refused.body_text()))?;
        let webhook = Segment(webhook).webhook()?;
        let task = Segment(task).task()?;
        Ok(Self { webhook, task })
    }
}

// === impl Segment ===

impl Segment {
    pub(crate) fn task(&self) -> Result<TaskId, Problem> {
        self.parse("a task is tsk_ and 32 lower-case hex digits")
    }

    pub(crate) fn circuit(&self) -> Result<CircuitId, Problem> {
        self.parse("a circuit is cir_ and 32 lower-case hex digits")
    }

    pub(crate) fn worker(&self) -> Result<WorkerId, Problem> {
        self.parse("a worker has 1 to 64 of the characters a-z A-Z 0-9 . _ -")
    }

    pub(crate) fn webhook(&self) -> Result<WebhookId, Problem> {
        self.parse("a webhook is whk_ and 32 lower-case hex digits")
    }

    pub(crate) fn plugin(&self) -> Result<PluginRef, Problem> {
        self.0
            .parse()
            .map_err(|error| Problem::new(request::ID, format!("{error}")))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    fn parse<T: FromStr>(&self, form: &str) -> Result<T, Problem> {
        self.0.parse().map_err(|_| Problem::new(request::ID, form))
    }
}

// === impl Wait ===

impl Wait {
    pub(crate) fn new(wait: Option<String>) -> Self {
        Self { wait }
    }

    /// How long to wait, when nothing is asked for `default`.
    pub(crate) fn or(&self, default: Duration) -> Result<Duration, Problem> {
        let Some(text) = &self.wait else {
            return Ok(default);
        };
        let max = limits::WAIT_MAX;
        match humantime::parse_duration(text) {
            Ok(wait) if wait <= max => Ok(wait),
            Ok(_) => {
                let detail = format!("the longest wait is {} s", max.as_secs());
                Err(Problem::new(request::WAIT, detail))
            }
            Err(error) => {
                let detail = format!("{error}: expected a duration such as 30s");
                Err(Problem::new(request::WAIT, detail))
            }
        }
    }
}

// === impl Acts ===

impl Acts {
    /// Before which number, and how many.
    pub(crate) fn page(self) -> Result<(Option<u64>, u32), Problem> {
        let before = self.before.map(|text| {
            let number = text.parse().ok();
            number.ok_or_else(|| refused("before", "is the number of an act"))
        });
        Ok((before.transpose()?, page_limit(self.limit)?))
    }
}

/// How many things a page shows.
fn page_limit(text: Option<String>) -> Result<u32, Problem> {
    let max = limits::PAGE_MAX;
    text.map_or(Ok(limits::PAGE_DEFAULT), |text| {
        let limit = text.parse().ok().filter(|limit| (1..=max).contains(limit));
        limit.ok_or_else(|| refused("limit", format!("is a number from 1 to {max}")))
    })
}

// === impl Page ===

impl Page {
    pub(crate) fn filter(self) -> Result<TaskFilter, Problem> {
        let limit = page_limit(self.limit);
        if let Some(before) = &self.before {
            check_cursor(before)?;
        }
        let circuit: Option<Result<CircuitId, _>> = self.circuit.map(|text| {
            let form = "is cir_ and 32 lower-case hex digits";
            text.parse().map_err(|_| refused("circuit", form))
        });
        Ok(TaskFilter {
            state: self.state.as_deref().map(state).transpose()?,
            plugin: self.plugin.as_deref().map(plugin).transpose()?,
            circuit: circuit.transpose()?,
            since: self
                .since
                .as_deref()
                .map(|t| instant("since", t))
                .transpose()?,
            until: self
                .until
                .as_deref()
                .map(|t| instant("until", t))
                .transpose()?,
            sort: self.sort.as_deref().map_or(Ok(Sort::Newest), sort)?,
            before: self.before,
            limit: limit?,
        })
    }
}

fn refused(name: &str, what: impl std::fmt::Display) -> Problem {
    Problem::new(request::QUERY, format!("{name} {what}"))
}

fn state(text: &str) -> Result<TaskState, Problem> {
    let known = TaskState::ALL
        .into_iter()
        .find(|state| state.name() == text);
    known.ok_or_else(|| {
        let all = TaskState::ALL.map(TaskState::name).join(", ");
        refused("state", format!("is one of {all}"))
    })
}

fn plugin(text: &str) -> Result<PluginRef, Problem> {
    text.parse()
        .map_err(|error| refused("plugin:", format!("{error}")))
}

fn instant(name: &str, text: &str) -> Result<Millis, Problem> {
    let instant: Result<Timestamp, _> = text.parse();
    instant
        .map(Timestamp::millis)
        .map_err(|error| refused(name, format!("is malformed: {error}")))
}

fn sort(text: &str) -> Result<Sort, Problem> {
    match text {
        "newest" => Ok(Sort::Newest),
        "oldest" => Ok(Sort::Oldest),
        _ => Err(refused("sort", "is newest or oldest")),
    }
}

/// Refuses what cannot be a cursor; what one means is the platform's business.
pub(crate) fn check_cursor(text: &str) -> Result<(), Problem> {
    if is_cursor(text) {
        return Ok(());
    }
    let detail = "before is no cursor of this API";
    Err(Problem::new(request::CURSOR, detail))
}

fn is_cursor(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !text.is_empty() && text.len() <= limits::CURSOR_MAX as usize && text.bytes().all(allowed)
}

/// The key of an idempotent request.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    key_of_at_most(headers, limits::IDEMPOTENCY_KEY_MAX)
}

/// The key of a batch, from which those of its items are made.
pub(crate) fn batch_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    key_of_at_most(headers, limits::BATCH_KEY_MAX)
}

fn key_of_at_most(headers: &HeaderMap, max: u32) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let key = first.to_str().ok().filter(|key| is_key(key, max));
    match key {
        Some(key) if values.next().is_none() => Ok(Some(key.to_owned())),
        _ => Err(malformed_key(max)),
    }
}

/// Whether a text can be an idempotency key.
pub(crate) fn is_key(text: &str, max: u32) -> bool {
    (1..=max as usize).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

pub(crate) fn malformed_key(max: u32) -> Problem {
    let detail = format!("Idempotency-Key is given once, 1 to {max} visible characters");
    Problem::new(request::IDEMPOTENCY_KEY, detail)
}

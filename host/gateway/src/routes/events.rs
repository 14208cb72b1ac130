//! `/tasks/{task}/events`: a task's stages as server-sent events.

use std::{convert::Infallible, fmt::Write as _};

use aureole_api::{Problem, rest::TaskEvent};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::{Stream, stream};

use crate::{
    Caller,
    answer::Answer,
    extract::{Asked, Nothing, Segment},
    limits,
    serve::Streaming,
    shared::Shared,
    watch::{Note, Subscription},
};

/// The header of a reader that comes back.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Asks proxies to pass every event on at once.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Streams where a task stands until it has ended.
pub(super) async fn watch(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Answer {
    let task = segment.task()?;
    let (mut watched, place) = shared.hub.watch(&shared, &caller, task).await?;
    if let Some(id) = last_event_id(&headers)
        && !watched.resume(id)
    {
        // The task has ended and the reader knows: 204 tells it not to come again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let mut response = Response::new(Body::from_stream(events(watched)));
    response.headers_mut().extend([
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ]);
    response.extensions_mut().insert(Streaming::new(place));
    Ok(response.into_response())
}

/// What the reader has; one that is none of ours means that it has nothing.
fn last_event_id(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(LAST_EVENT_ID)?.to_str().ok()?;
    (id.len() <= limits::EVENT_ID_MAX as usize).then_some(id)
}

fn events(watched: Subscription) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::unfold(watched, |mut watched| async move {
        let note = watched.next().await?;
        Some((Ok(written(&note)), watched))
    })
}

/// One event as it goes over the wire. JSON has no line breaks, so each is one line of data.
fn written(note: &Note) -> Bytes {
    let mut text = String::new();
    let _infallible = match note {
        Note::Stands { id, event, .. } => {
            write!(text, "id: {id}\nevent: task\ndata: {}\n\n", json(event))
        }
        Note::Alive => write!(text, ": alive\n\n"),
        Note::Lagged { missed } => {
            write!(text, "event: lagged\ndata: {{\"missed\":{missed}}}\n\n")
        }
        Note::Problem(problem) => write!(text, "event: problem\ndata: {}\n\n", of(problem)),
        Note::Stopping => write!(text, "event: stopping\ndata: {{}}\n\n"),
    };
    text.into()
}

fn json(event: &TaskEvent) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

fn of(problem: &Problem) -> String {
    serde_json::to_string(problem).unwrap_or_default()
}

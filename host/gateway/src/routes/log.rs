//! `/log` and receipts: the log of accepted proofs, laid out as C2SP tlog-tiles has it below
//! `/api/v1/log`.

use aureole_api::{Problem, codes::request};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::IntoResponse as _,
};
use serde::Deserialize;

use crate::{
    Caller, LogRead,
    answer::{self, Answer},
    extract::{Asked, Nothing, Segment},
    shared::Shared,
};

/// A tile of a path never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// A query for an inclusion proof.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inclusion {
    index: String,
    size: Option<String>,
}

/// A query for a consistency proof.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consistency {
    from: String,
    to: Option<String>,
}

pub(super) async fn receipt(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let receipt = shared.platform.receipt(&caller, segment.task()?).await?;
    // It has the salt: no cache on the way keeps it.
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, Json(receipt)).into_response())
}

/// The newest checkpoint: a signed note.
pub(super) async fn checkpoint(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Answer {
    text(&shared, &caller, LogRead::Checkpoint, &headers).await
}

/// The key that verifies checkpoints, as signed notes write it.
pub(super) async fn key(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Answer {
    text(&shared, &caller, LogRead::Key, &headers).await
}

async fn text(shared: &Shared, caller: &Caller, read: LogRead, headers: &HeaderMap) -> Answer {
    let blob = shared.platform.log(caller, read).await?;
    let mut response = answer::blob(blob, headers);
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// A tile or entry bundle, by the rest of the path.
pub(super) async fn tile(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Answer {
    let read = LogRead::Tile(format!("tile/{}", segment.text()));
    let blob = shared.platform.log(&caller, read).await?;
    let mut response = answer::blob(blob, &headers);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, FOR_EVER);
    Ok(response)
}

pub(super) async fn inclusion(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(asked): Asked<Inclusion>,
    headers: HeaderMap,
) -> Answer {
    let read = LogRead::Inclusion {
        index: number("index", &asked.index)?,
        size: asked.size.map(|size| number("size", &size)).transpose()?,
    };
    proof(&shared, &caller, read, &headers).await
}

pub(super) async fn consistency(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(asked): Asked<Consistency>,
    headers: HeaderMap,
) -> Answer {
    let read = LogRead::Consistency {
        from: number("from", &asked.from)?,
        to: asked.to.map(|to| number("to", &to)).transpose()?,
    };
    proof(&shared, &caller, read, &headers).await
}

async fn proof(shared: &Shared, caller: &Caller, read: LogRead, headers: &HeaderMap) -> Answer {
    let blob = shared.platform.log(caller, read).await?;
    let mut response = answer::blob(blob, headers);
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

fn number(name: &str, text: &str) -> Result<u64, Problem> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| plain);
    number.ok_or_else(|| Problem::new(request::QUERY, format!("{name} is a number from 0")))
}

//! Reading bodies: media type, encoding, size and time are checked before and while bytes come.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aureole_api::{
    Problem,
    codes::{node, plugin, request},
    rest::{ComponentSignature, SIGNATURE_HEADER},
};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, header},
};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

use crate::{
    component::{Component, Fault},
    grpc::fields::Fields,
    json,
    limits::MESSAGE_FIELDS_MAX,
    shared::Shared,
};

/// Bodies up to this size take nothing from the budget, so that a few large ones that come in
/// slowly cannot shut everybody out.
const FREE: u64 = 64 * 1024;

/// A body as JSON. The budget of its bytes is held as long as this lives.
#[derive(Debug)]
pub(crate) struct JsonBody {
    pub(crate) value: Value,
    _budget: Option<OwnedSemaphorePermit>,
}

/// Reads a JSON body.
///
/// # Errors
/// A header that is not taken (415), too many bytes (413), too slow (408), a busy node (503), or
/// what [`json::read`] refuses.
pub(crate) async fn read_json(shared: &Shared, body: Request) -> Result<JsonBody, Problem> {
    check_media_type(body.headers(), &["application/json"])?;
    let max = shared.config.json_max;
    let over = move || {
        Problem::new(
            request::TOO_LARGE,
            format!("a JSON body has at most {max} bytes"),
        )
    };
    let declared = declared_length(body.headers());
    if declared.is_some_and(|declared| declared > max) {
        return Err(over());
    }
    let mut chunks = std::pin::pin!(chunks(shared, body.into_body(), max, over));
    let mut bytes = BytesMut::new();
    let mut budget: Option<OwnedSemaphorePermit> = None;
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk?);
        let held = budget.as_ref().map_or(0, OwnedSemaphorePermit::num_permits) as u64;
        let wanted = (bytes.len() as u64)
            .saturating_sub(FREE)
            .saturating_sub(held);
        if wanted > 0 {
            let more = take(shared, wanted)?;
            match &mut budget {
                Some(budget) => budget.merge(more),
                None => budget = Some(more),
            }
        }
    }
    let value = json::read_anywhere(bytes.into()).await?;
    Ok(JsonBody {
        value,
        _budget: budget,
    })
}

/// What a body has taken from the budget; given back when the last holder drops it.
pub(crate) type Taken = Arc<Mutex<Option<OwnedSemaphorePermit>>>;

/// The body of a gRPC call, of at most `max` bytes and [`MESSAGE_FIELDS_MAX`] fields, its pauses and whole bounded in time, with what is over
/// [`FREE`] taken from the budget as long as it or the second value lives. A refusal is an error
/// of the body.
pub(crate) fn bounded<E>(
    shared: &Shared,
    body: Body,
    max: u64,
    refusal: impl Fn(&Problem) -> E + Send + Sync + 'static,
) -> (Body, Taken)
where
    E: std::error::Error + Send + Sync + 'static,
{
    let over = move || {
        Problem::new(
            request::TOO_LARGE,
            format!("a call has at most {max} bytes"),
        )
    };
    let (bounded, taken) = budgeted(shared, chunks(shared, body, max, over));
    let mut fields = Fields::default();
    let bounded = bounded.map(move |chunk| {
        let counted = chunk.and_then(|chunk| match fields.see(&chunk) {
            Ok(()) => Ok(chunk),
            Err(count) => Err(too_many(count)),
        });
        counted.map_err(|problem| refusal(&problem))
    });
    (Body::from_stream(bounded), taken)
}

fn too_many(fields: u32) -> Problem {
    let detail =
        format!("a message with {fields} fields and more, the limit is {MESSAGE_FIELDS_MAX}");
    Problem::new(request::BATCH, detail)
}

/// The same chunks, with what is over [`FREE`] taken from the budget as they come.
fn budgeted(
    shared: &Shared,
    chunks: impl Stream<Item = Result<Bytes, Problem>> + Send + 'static,
) -> (
    impl Stream<Item = Result<Bytes, Problem>> + Send + 'static,
    Taken,
) {
    let taken = Taken::default();
    let state = (Box::pin(chunks), Arc::clone(&taken), 0_u64, shared.clone());
    let budgeted = stream::unfold(state, |(mut chunks, taken, seen, shared)| async move {
        let chunk = chunks.next().await?;
        let seen = seen.saturating_add(chunk.as_ref().map_or(0, |chunk| chunk.len() as u64));
        let chunk = chunk.and_then(|chunk| take_up_to(&shared, &taken, seen).map(|()| chunk));
        Some((chunk, (chunks, taken, seen, shared)))
    });
    (budgeted, taken)
}

/// Takes what a body of so many bytes needs beyond what it has.
fn take_up_to(shared: &Shared, taken: &Taken, bytes: u64) -> Result<(), Problem> {
    let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    let has = taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits) as u64;
    let wanted = bytes.saturating_sub(FREE).saturating_sub(has);
    if wanted > 0 {
        let more = take(shared, wanted)?;
        match taken.as_mut() {
            Some(taken) => taken.merge(more),
            None => *taken = Some(more),
        }
    }
    Ok(())
}

fn take(shared: &Shared, wanted: u64) -> Result<OwnedSemaphorePermit, Problem> {
    let busy = || {
        Problem::new(
            node::BUSY,
            "too many large bodies are being read at this moment",
        )
    };
    let wanted = u32::try_from(wanted).map_err(|_| busy())?;
    Arc::clone(&shared.json_budget)
        .try_acquire_many_owned(wanted)
        .map_err(|_| busy())
}

/// Opens a component's body as a stream with the limits built in. Whoever takes the component has it
/// whole in memory: what it takes from the budget is held as long as the third value lives.
///
/// # Errors
/// A header that is not taken (415), a declared length over the limit (413), or a signature that
/// does not read (422).
pub(crate) fn open_component(
    shared: &Shared,
    body: Request,
) -> Result<(Component, Fault, Taken), Problem> {
    check_media_type(
        body.headers(),
        &["application/wasm", "application/octet-stream"],
    )?;
    let max = shared.config.component_max;
    let over = move || {
        Problem::new(
            plugin::TOO_LARGE,
            format!("a component has at most {max} bytes"),
        )
    };
    let declared = declared_length(body.headers());
    if declared.is_some_and(|declared| declared > max) {
        return Err(over());
    }
    let signature = signature(body.headers())?;
    let chunks = chunks(shared, body.into_body(), max, over);
    let (chunks, taken) = budgeted(shared, chunks);
    let (component, fault) = Component::new(chunks, declared);
    Ok((component.signed(signature), fault, taken))
}

/// The publisher's signature of a component, if the headers have one.
fn signature(headers: &HeaderMap) -> Result<Option<ComponentSignature>, Problem> {
    let malformed = |detail: String| Problem::new(plugin::SIGNATURE, detail);
    let mut values = headers.get_all(SIGNATURE_HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(malformed(format!("{SIGNATURE_HEADER} stands twice")));
    }
    let text = value.to_str().unwrap_or_default();
    let read = text
        .parse()
        .map_err(|error| malformed(format!("{SIGNATURE_HEADER}: {error}")))?;
    Ok(Some(read))
}

/// The body's data, at most `max` bytes of it, each pause and the whole bounded in time. The
/// stream ends after its first error.
fn chunks(
    shared: &Shared,
    body: Body,
    max: u64,
    over: impl Fn() -> Problem + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Problem>> + Send + 'static {
    let (pause, whole) = (shared.config.body_pause_max, shared.config.body_time_max);
    let start = Instant::now();
    stream::unfold(Some((body, 0_u64)), move |state| {
        let refuse = over();
        async move {
            let (mut body, seen) = state?;
            match next(&mut body, pause, whole, start).await {
                Ok(None) => None,
                Err(problem) => Some((Err(problem), None)),
                Ok(Some(chunk)) => {
                    let seen = seen.saturating_add(chunk.len() as u64);
                    if seen > max {
                        return Some((Err(refuse), None));
                    }
                    Some((Ok(chunk), Some((body, seen))))
                }
            }
        }
    })
}

async fn next(
    body: &mut Body,
    pause: Duration,
    whole: Duration,
    start: Instant,
) -> Result<Option<Bytes>, Problem> {
    loop {
        let left = whole.saturating_sub(start.elapsed());
        let frame = timeout(pause.min(left), body.frame()).await.map_err(|_| {
            let detail = if left <= pause {
                format!("the body took longer than {} s", whole.as_secs_f32())
            } else {
                format!("the body paused for longer than {} s", pause.as_secs_f32())
            };
            Problem::new(request::TIMEOUT, detail)
        })?;
        match frame {
            None => return Ok(None),
            Some(Err(error)) => {
                tracing::debug!(%error, "a body ended early");
                return Err(Problem::new(request::BODY, "the body ended early"));
            }
            Some(Ok(frame)) => {
                // Trailers carry nothing that we read.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// hyper has checked that the header is one number.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Refuses compressed bodies and media types that the route does not take.
fn check_media_type(headers: &HeaderMap, taken: &[&str]) -> Result<(), Problem> {
    if lone(headers, &header::CONTENT_ENCODING)?
        .is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"))
    {
        let detail = "the body has a Content-Encoding; send it uncompressed";
        return Err(Problem::new(request::CONTENT_ENCODING, detail));
    }
    let wanted = taken.join(" or ");
    let refuse = |what: &str| {
        let detail = format!("{what}; this route takes -H 'content-type: {wanted}'");
        Err(Problem::new(request::CONTENT_TYPE, detail))
    };
    let Some(given) = lone(headers, &header::CONTENT_TYPE)? else {
        return refuse("the content type is missing");
    };
    let mut parts = given.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    if !taken
        .iter()
        .any(|taken| essence.eq_ignore_ascii_case(taken))
    {
        return refuse("the content type is another one");
    }
    let utf8 = |part: &str| match part.split_once('=') {
        Some((key, value)) if key.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    };
    if !parts.all(utf8) {
        return refuse("the charset is not utf-8");
    }
    Ok(())
}

/// A header that may be given once, as text.
fn lone<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        let detail = format!("the header {name} is given twice");
        return Err(Problem::new(request::CONTENT_TYPE, detail));
    }
    first
        .map(|value| {
            value.to_str().map_err(|_| {
                Problem::new(
                    request::CONTENT_TYPE,
                    format!("the header {name} is not ASCII"),
                )
            })
        })
        .transpose()
}

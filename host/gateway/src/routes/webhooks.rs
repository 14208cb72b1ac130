//! `/webhooks`: who is told of the ends of tasks, and what came of telling them.

use aureole_api::{
    Problem, codes,
    rest::{EventKind, WebhookRequest},
};
use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, header},
    response::IntoResponse as _,
};

use crate::{
    Caller, NewWebhook,
    answer::Answer,
    body::read_json,
    extract::{Asked, Event, Nothing, Segment, idempotency_key},
    json,
    shared::Shared,
};

/// Makes a webhook; the answer holds its secret and is not to be kept on the way.
pub(super) async fn create(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
    request: Request,
) -> Answer {
    let idempotency_key = idempotency_key(request.headers())?;
    let body = read_json(&shared, request).await?;
    let asked: WebhookRequest = json::typed(body.value)?;
    let events = asked.events.unwrap_or_else(|| EventKind::ALL.to_vec());
    if events.is_empty() {
        let problem = Problem::new(codes::webhook::EVENTS, "`events` is empty");
        return Err(problem.at("/events").into());
    }
    let request = NewWebhook {
        url: asked.url,
        events,
        public_inputs: asked.public_inputs,
        idempotency_key,
    };
    let webhook = shared.platform.create_webhook(&caller, request).await?;
    let headers = [
        (header::LOCATION, format!("/api/v1/webhooks/{}", webhook.id)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, Json(webhook)).into_response())
}

pub(super) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
) -> Answer {
    Ok(Json(shared.platform.webhooks(&caller).await?).into_response())
}

pub(super) async fn show(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let webhook = segment.webhook()?;
    Ok(Json(shared.platform.webhook(&caller, webhook).await?).into_response())
}

pub(super) async fn delete(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let webhook = segment.webhook()?;
    shared.platform.delete_webhook(&caller, webhook).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Sends a test event: 200 whether it arrived or not, for the answer is what came of it.
pub(super) async fn test(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let webhook = segment.webhook()?;
    Ok(Json(shared.platform.test_webhook(&caller, webhook).await?).into_response())
}

pub(super) async fn deliveries(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let webhook = segment.webhook()?;
    Ok(Json(shared.platform.deliveries(&caller, webhook).await?).into_response())
}

/// Delivers the end of a task again: 202, it is on its way.
pub(super) async fn replay(
    State(shared): State<Shared>,
    caller: Caller,
    Event { webhook, task }: Event,
    _: Asked<Nothing>,
) -> Answer {
    let delivery = shared.platform.replay(&caller, webhook, task).await?;
    Ok((StatusCode::ACCEPTED, Json(delivery)).into_response())
}

//! `/verifying-keys` and circuits' keys: publish, rotate, revoke.

use aureole_api::rest::{RevocationRequest, VerifyingKeyRequest};
use aureole_api::{Problem, codes::request};
use axum::{
    Json,
    extract::{Request, State},
    response::IntoResponse as _,
};

use crate::{
    Caller,
    answer::Answer,
    body::read_json,
    extract::{Asked, Nothing, Segment},
    json,
    shared::Shared,
};

pub(super) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
) -> Answer {
    Ok(Json(shared.platform.verifying_keys(&caller).await?).into_response())
}

pub(super) async fn show(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let key = shared
        .platform
        .verifying_key(&caller, segment.text())
        .await?;
    Ok(Json(key).into_response())
}

/// Publishes a circuit's key under a name, or rotates to it; the same again changes nothing.
pub(super) async fn publish(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    request: Request,
) -> Answer {
    let body = read_json(&shared, request).await?;
    let asked: VerifyingKeyRequest = json::typed(body.value)?;
    let form = "a circuit is cir_ and 32 lower-case hex digits";
    let malformed = |_| Problem::new(request::ID, form).at("/circuit");
    let circuit = asked.circuit.parse().map_err(malformed)?;
    let published = shared
        .platform
        .publish_verifying_key(&caller, segment.text(), circuit)
        .await?;
    Ok(Json(published).into_response())
}

pub(super) async fn of_circuit(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let circuit = segment.circuit()?;
    let key = shared.platform.circuit_key(&caller, circuit).await?;
    Ok(Json(key).into_response())
}

/// Revokes a circuit's key; revoking twice is no error, and the first reason stays.
pub(super) async fn revoke(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    request: Request,
) -> Answer {
    let circuit = segment.circuit()?;
    let body = read_json(&shared, request).await?;
    let asked: RevocationRequest = json::typed(body.value)?;
    let key = shared
        .platform
        .revoke_verifying_key(&caller, circuit, asked.reason)
        .await?;
    Ok(Json(key).into_response())
}

//! `/circuits`: register, show, download, check an input.

use std::time::Duration;

use aureole_api::rest::{CheckRequest, CircuitRequest, CircuitState};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse as _,
};

use super::plugins::rejected;
use crate::{
    Caller, InputCheck,
    answer::{self, Answer},
    body::read_json,
    extract::{Asked, Nothing, Segment, Wait, idempotency_key},
    json,
    shared::Shared,
};

/// Registers a plugin's circuit and waits for its keys: 201 when it is new, 200 when it was here,
/// 202 while it is still being prepared, the preparation's problem when it is rejected.
pub(super) async fn put(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(wait): Asked<Wait>,
    request: Request,
) -> Answer {
    let wait = wait.or(shared.config.wait_default)?;
    // The circuit's id is computed from what is asked for: the key can only be well formed.
    idempotency_key(request.headers())?;
    let body = read_json(&shared, request).await?;
    let asked: CircuitRequest = json::typed(body.value)?;
    let (mut circuit, new) = shared
        .platform
        .put_circuit(&caller, &asked.plugin, asked.params)
        .await?;
    if !circuit.is_settled()
        && !wait.is_zero()
        && let Ok(id) = circuit.id.parse()
    {
        let platform = &shared.platform;
        circuit = shared
            .waiting(wait, |wait| platform.circuit(&caller, id, wait))
            .await?;
    }
    let status = match circuit.state {
        CircuitState::Preparing => StatusCode::ACCEPTED,
        CircuitState::Rejected => return Err(rejected(circuit.problem).into()),
        CircuitState::Ready if new => StatusCode::CREATED,
        CircuitState::Ready => StatusCode::OK,
    };
    let location = [(header::LOCATION, format!("/api/v1/circuits/{}", circuit.id))];
    Ok((status, location, Json(circuit)).into_response())
}

pub(super) async fn show(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    Asked(wait): Asked<Wait>,
    headers: HeaderMap,
) -> Answer {
    let (id, wait) = (segment.circuit()?, wait.or(Duration::ZERO)?);
    let circuit = shared
        .waiting(wait, |wait| shared.platform.circuit(&caller, id, wait))
        .await?;
    answer::document(&circuit, &headers)
}

pub(super) async fn ir(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Answer {
    let blob = shared
        .platform
        .circuit_ir(&caller, segment.circuit()?)
        .await?;
    Ok(answer::blob(blob, &headers))
}

/// Checks an input: 200 whether it satisfies the circuit or not, for the answer is the report.
pub(super) async fn check(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    request: Request,
) -> Answer {
    let circuit = segment.circuit()?;
    let body = read_json(&shared, request).await?;
    let CheckRequest { input, reveal } = json::typed(body.value)?;
    let check = InputCheck {
        circuit,
        input,
        reveal,
    };
    let report = shared.platform.check_input(&caller, check).await?;
    // The report may hold values: no cache on the way keeps it.
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((headers, Json(report)).into_response())
}

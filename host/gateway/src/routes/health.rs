//! `/health`: for load balancers and operators; outside `/api/v1` and its versions.

use aureole_api::rest::Live;
use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use crate::shared::Shared;

/// The process answers: always 200.
pub(super) async fn live() -> Response {
    Json(Live { live: true }).into_response()
}

/// The node takes work: 200, or 503 with what is missing.
pub(super) async fn ready(State(shared): State<Shared>) -> Response {
    let health = shared.platform.health().await;
    let status = if health.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(health)).into_response()
}

//! `/workers`: who is joined, who is in quarantine, and letting them out.

use axum::{Json, extract::State, response::IntoResponse as _};

use crate::{
    Caller,
    answer::Answer,
    extract::{Asked, Nothing, Segment},
    shared::Shared,
};

pub(super) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
) -> Answer {
    Ok(Json(shared.platform.workers(&caller).await?).into_response())
}

/// Trusts a worker again; one that is trusted already stays so.
pub(super) async fn trust(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let worker = segment.worker()?;
    Ok(Json(shared.platform.trust_worker(&caller, worker).await?).into_response())
}

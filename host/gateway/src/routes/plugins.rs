//! `/plugins`: upload, list, show, retire.

use std::time::Duration;

use aureole_api::{
    Problem,
    codes::{node, plugin},
    rest::{Plugin, PluginRef, PluginState},
};
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse as _,
};

use crate::{
    Caller,
    answer::{self, Answer},
    body::open_component,
    extract::{Asked, Nothing, Segment, Versioned, Wait, idempotency_key},
    shared::Shared,
};

/// Uploads a component and waits for its inspection: 201 when it is new, 200 when it was here,
/// 202 while it is still being inspected, the inspection's problem when it is rejected.
pub(super) async fn put(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(wait): Asked<Wait>,
    request: Request,
) -> Answer {
    let wait = wait.or(shared.config.wait_default)?;
    // A component's digest is its identity: the key can only be well formed.
    idempotency_key(request.headers())?;
    let (component, fault, taken) = open_component(&shared, request)?;
    let put = shared.platform.put_plugin(&caller, component).await;
    drop(taken);
    let (mut plugin, new) = put.map_err(|problem| fault.take().unwrap_or(problem))?;
    if !plugin.is_settled()
        && !wait.is_zero()
        && let Some(exact) = plugin.exact()
    {
        let platform = &shared.platform;
        plugin = shared
            .waiting(wait, |wait| platform.plugin(&caller, &exact, wait))
            .await?;
    }
    let status = match plugin.state {
        PluginState::Inspecting => StatusCode::ACCEPTED,
        PluginState::Rejected => return Err(rejected(plugin.problem).into()),
        PluginState::Ready | PluginState::Retired if new => StatusCode::CREATED,
        PluginState::Ready | PluginState::Retired => StatusCode::OK,
    };
    let location = [(
        header::LOCATION,
        format!("/api/v1/plugins/{}", plugin.digest),
    )];
    Ok((status, location, Json(plugin)).into_response())
}

/// A rejection that names no reason is a fault of ours.
pub(crate) fn rejected(problem: Option<Problem>) -> Problem {
    problem.unwrap_or_else(|| Problem::new(node::INTERNAL, "rejected without a reason"))
}

pub(super) async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
) -> Answer {
    Ok(Json(shared.platform.plugins(&caller).await?).into_response())
}

pub(super) async fn show(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    Asked(wait): Asked<Wait>,
    headers: HeaderMap,
) -> Answer {
    let plugin = segment.plugin()?;
    find(&shared, &caller, &plugin, &wait, &headers).await
}

pub(super) async fn show_version(
    State(shared): State<Shared>,
    caller: Caller,
    Versioned(plugin): Versioned,
    Asked(wait): Asked<Wait>,
    headers: HeaderMap,
) -> Answer {
    find(&shared, &caller, &plugin, &wait, &headers).await
}

async fn find(
    shared: &Shared,
    caller: &Caller,
    plugin: &PluginRef,
    wait: &Wait,
    headers: &HeaderMap,
) -> Answer {
    let wait = wait.or(Duration::ZERO)?;
    let call = |wait| shared.platform.plugin(caller, plugin, wait);
    let plugin: Plugin = shared.waiting(wait, call).await?;
    answer::document(&plugin, headers)
}

pub(super) async fn retire(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Answer {
    let plugin = segment.plugin()?;
    if !plugin.is_exact() {
        let detail = format!("{plugin} may mean several versions: name one");
        return Err(Problem::new(plugin::VERSION_REQUIRED, detail).into());
    }
    retire_exactly(&shared, &caller, &plugin, &headers).await
}

pub(super) async fn retire_version(
    State(shared): State<Shared>,
    caller: Caller,
    Versioned(plugin): Versioned,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Answer {
    retire_exactly(&shared, &caller, &plugin, &headers).await
}

async fn retire_exactly(
    shared: &Shared,
    caller: &Caller,
    plugin: &PluginRef,
    headers: &HeaderMap,
) -> Answer {
    if headers.contains_key(header::IF_MATCH) {
        let found = shared
            .platform
            .plugin(caller, plugin, Duration::ZERO)
            .await?;
        answer::check_precondition(&found, headers)?;
    }
    Ok(Json(shared.platform.retire_plugin(caller, plugin).await?).into_response())
}

//! `/me`, `/admin`: who asks, and tenants, keys, usage and the trail.

use aureole_api::{
    Problem,
    codes::{node, request},
    rest::{KeyRequest, NewKey, Sharing, TenantRequest, Timestamp},
};
use aureole_ledger::{KeyId, TenantId};
use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::{
    Administered, Administration, ApiKey, Caller,
    answer::Answer,
    body::read_json,
    extract::{Acts, Asked, Nothing, Segment},
    json,
    shared::Shared,
};

/// A query of the list of keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfTenant {
    tenant: Option<String>,
}

pub(super) async fn me(State(shared): State<Shared>, caller: Caller, _: Asked<Nothing>) -> Answer {
    Ok(Json(shared.platform.me(&caller).await?).into_response())
}

/// Says who may use a plugin beside its uploader.
pub(super) async fn share(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    request: Request,
) -> Answer {
    let plugin = segment.plugin()?;
    let body = read_json(&shared, request).await?;
    let asked: Sharing = json::typed(body.value)?;
    let plugin = shared
        .platform
        .share_plugin(&caller, &plugin, asked)
        .await?;
    Ok(Json(plugin).into_response())
}

pub(super) async fn tenants(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
) -> Answer {
    administer(&shared, &caller, Administration::Tenants).await
}

pub(super) async fn tenant(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let asked = Administration::Tenant(tenant_id(segment.text())?);
    administer(&shared, &caller, asked).await
}

pub(super) async fn put_tenant(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
    request: Request,
) -> Answer {
    let tenant = tenant_id(segment.text())?;
    let body = read_json(&shared, request).await?;
    let change: TenantRequest = json::typed(body.value)?;
    let asked = Administration::PutTenant { tenant, change };
    administer(&shared, &caller, asked).await
}

pub(super) async fn usage(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let asked = Administration::Usage(tenant_id(segment.text())?);
    administer(&shared, &caller, asked).await
}

pub(super) async fn keys(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(query): Asked<OfTenant>,
) -> Answer {
    let tenant = query.tenant.as_deref().map(tenant_id).transpose()?;
    administer(&shared, &caller, Administration::Keys { tenant }).await
}

/// Makes a key: 201 with the key itself, which is shown this once and kept nowhere.
pub(super) async fn create_key(
    State(shared): State<Shared>,
    caller: Caller,
    _: Asked<Nothing>,
    request: Request,
) -> Answer {
    let body = read_json(&shared, request).await?;
    let asked: KeyRequest = json::typed(body.value)?;
    let tenant = tenant_id(&asked.tenant).map_err(|problem| problem.at("/tenant"))?;
    let fresh = ApiKey::fresh().map_err(|error| {
        tracing::error!(%error, "no randomness for a key");
        Problem::new(node::INTERNAL, "no randomness for a key")
    })?;
    let asked = Administration::CreateKey {
        key: fresh.hash(),
        tenant,
        role: asked.role,
        label: asked.label.unwrap_or_default(),
        expires_at: asked.expires_at.map(Timestamp::millis),
    };
    let Administered::Key(key) = shared.platform.administer(&caller, asked).await? else {
        return Err(misplaced().into());
    };
    let location = [(header::LOCATION, format!("/api/v1/admin/keys/{}", key.id))];
    let secret = fresh.text().to_string();
    let made = Json(NewKey { key, secret });
    Ok((StatusCode::CREATED, location, made).into_response())
}

pub(super) async fn revoke_key(
    State(shared): State<Shared>,
    caller: Caller,
    segment: Segment,
    _: Asked<Nothing>,
) -> Answer {
    let form = "the public part of a key is aur_ and 16 lower-case hex digits";
    let key: Result<KeyId, _> = segment.text().parse();
    let key = key.map_err(|_| Problem::new(request::ID, form))?;
    administer(&shared, &caller, Administration::RevokeKey(key)).await
}

pub(super) async fn audit(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(acts): Asked<Acts>,
) -> Answer {
    let (before, limit) = acts.page()?;
    administer(&shared, &caller, Administration::Audit { before, limit }).await
}

async fn administer(shared: &Shared, caller: &Caller, asked: Administration) -> Answer {
    Ok(document(shared.platform.administer(caller, asked).await?))
}

fn document(done: Administered) -> Response {
    match done {
        Administered::Tenants(tenants) => Json(tenants).into_response(),
        Administered::Tenant(tenant) => Json(tenant).into_response(),
        Administered::Usage(usage) => Json(usage).into_response(),
        Administered::Keys(keys) => Json(keys).into_response(),
        Administered::Key(key) => Json(key).into_response(),
        Administered::Audit(trail) => Json(trail).into_response(),
    }
}

fn tenant_id(text: &str) -> Result<TenantId, Problem> {
    text.parse()
        .map_err(|error| Problem::new(request::ID, format!("{error}")))
}

fn misplaced() -> Problem {
    Problem::new(node::INTERNAL, "the platform answered another act")
}

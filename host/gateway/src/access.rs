//! Who may do what: every row of the table of routes names the roles it asks for, and no handler of
//! a row runs, nor is a byte of a body read, before its caller is known.
//!
//! ```text
//! Authorization ▸ one? ▸ a key, or a token ▸ Platform ▸ caller ▸ rate ▸ role ▸ at once? ▸ handler
//!                  └──────────┴────── 401, the same for all ──┘    429    403     429
//! ```

use std::{sync::Arc, time::Duration};

use aureole_api::{Problem, codes};
use aureole_ledger::Role;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};

use crate::{ApiKey, Caller, answer::Refusal, limits::CREDENTIAL_MAX, shared::Shared};

/// Whom a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a key.
    Open,
    /// Callers with one of these roles.
    Roles(&'static [Role]),
}

/// Reads what its tenant has.
pub(crate) const READERS: Access = Access::Roles(&Role::ALL);

/// Uses plugins.
pub(crate) const USERS: Access = Access::Roles(&[Role::Admin, Role::Author, Role::Submitter]);

/// Publishes plugins.
pub(crate) const AUTHORS: Access = Access::Roles(&[Role::Admin, Role::Author]);

/// Runs the cluster.
pub(crate) const ADMINS: Access = Access::Roles(&[Role::Admin]);

/// Looks at what was done by whom.
pub(crate) const AUDITORS: Access = Access::Roles(&[Role::Admin, Role::Auditor]);

/// What a guard knows of its route.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) shared: Shared,
    pub(crate) access: Access,
}

/// Lets a request through to a route, with its caller, or refuses it.
pub(crate) async fn guard(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let Access::Roles(roles) = guard.access else {
        return Ok(next.run(request).await);
    };
    let caller = identify(&guard.shared, request.headers()).await?;
    check_role(&caller, roles)?;
    let most = guard.shared.config.tenant_requests_max;
    let at_work = guard.shared.at_work.take(&caller.tenant, most);
    let _at_work = at_work.map_err(too_many_at_once)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Who sent these headers, if it may ask now.
pub(crate) async fn identify(shared: &Shared, headers: &HeaderMap) -> Result<Caller, Problem> {
    let credential = bearer(headers).ok_or_else(unauthenticated)?;
    let caller = match ApiKey::parse(credential) {
        Some(key) => shared.platform.authenticate(&key.hash()).await?,
        None => shared.platform.authenticate_token(credential).await?,
    };
    let caller = caller.ok_or_else(unauthenticated)?;
    let span = tracing::Span::current();
    span.record("tenant", caller.tenant.as_str());
    span.record("credential", tracing::field::display(&caller.credential));
    let admitted = Arc::clone(&shared.limiter);
    admitted.admit(&caller).await.map_err(too_many)?;
    Ok(caller)
}

/// Refuses a role that a route does not ask for.
pub(crate) fn check_role(caller: &Caller, roles: &[Role]) -> Result<(), Problem> {
    if roles.contains(&caller.role) {
        return Ok(());
    }
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    let detail = format!(
        "the key is a {}'s; this asks for: {}",
        caller.role,
        names.join(", ")
    );
    Err(Problem::new(codes::access::FORBIDDEN, detail))
}

/// The one answer to every request that shows nothing valid, whatever is wrong with it.
#[must_use]
pub fn unauthenticated() -> Problem {
    Problem::new(
        codes::access::UNAUTHENTICATED,
        "send a valid key in one header: Authorization: Bearer aur_...",
    )
}

fn too_many(wait: Duration) -> Problem {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    let detail = "the tenant or the key has used up its requests of this second";
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    Problem::new(codes::access::RATE, detail).retry_after(seconds)
}

fn too_many_at_once(count: u32) -> Problem {
    let detail = format!("the tenant has {count} requests in work, the most it may");
    Problem::new(codes::access::CONCURRENCY, detail).retry_after(1)
}

/// The credential of the one Authorization header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() || value.len() > CREDENTIAL_MAX as usize {
        return None;
    }
    let (scheme, credential) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(credential.trim())
}

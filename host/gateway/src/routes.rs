//! The table of routes. A handler reads its request, calls the platform once, and gives its answer.

mod admin;
mod circuits;
mod errors;
mod health;
mod log;
mod plugins;
mod proofs;
mod tasks;
mod verifying_keys;
mod webhooks;
mod workers;

use aureole_api::{Problem, codes::request};
use axum::{
    Router,
    handler::Handler,
    http::Method,
    middleware::from_fn_with_state,
    routing::{self, MethodRouter},
};

use crate::{
    access::{self, ADMINS, AUDITORS, AUTHORS, Access, Guard, READERS, USERS},
    answer::Refusal,
    edge,
    shared::Shared,
};

/// One route with one method.
struct Row {
    method: Method,
    path: &'static str,
    access: Access,
    handler: MethodRouter<Shared>,
}

/// Every route; `HEAD` goes with each `GET`. A row that asks for roles is served to nobody else.
fn rows() -> Vec<Row> {
    use Access::Open;
    vec![
        get("/health/live", Open, health::live),
        get("/health/ready", Open, health::ready),
        get("/api/v1/errors", Open, errors::list),
        get("/api/v1/errors/{code}", Open, errors::show),
        get("/api/v1/me", READERS, admin::me),
        get("/api/v1/plugins", READERS, plugins::list),
        post("/api/v1/plugins", AUTHORS, plugins::put),
        get("/api/v1/plugins/{plugin}", READERS, plugins::show),
        delete("/api/v1/plugins/{plugin}", AUTHORS, plugins::retire),
        get(
            "/api/v1/plugins/{plugin}/{version}",
            READERS,
            plugins::show_version,
        ),
        delete(
            "/api/v1/plugins/{plugin}/{version}",
            AUTHORS,
            plugins::retire_version,
        ),
        put("/api/v1/plugins/{plugin}/visibility", AUTHORS, admin::share),
        post("/api/v1/circuits", USERS, circuits::put),
        get("/api/v1/circuits/{circuit}", READERS, circuits::show),
        get("/api/v1/circuits/{circuit}/ir", READERS, circuits::ir),
        post("/api/v1/circuits/{circuit}/check", USERS, circuits::check),
        get("/api/v1/tasks", READERS, tasks::list),
        post("/api/v1/tasks", USERS, tasks::submit),
        get("/api/v1/tasks/{task}", READERS, tasks::show),
        post("/api/v1/tasks/{task}", USERS, tasks::submit_to),
        delete("/api/v1/tasks/{task}", USERS, tasks::cancel),
        get("/api/v1/tasks/{task}/explain", READERS, tasks::explain),
        get("/api/v1/tasks/{task}/proof", READERS, tasks::proof),
        get("/api/v1/tasks/{task}/receipt", READERS, log::receipt),
        post("/api/v1/proofs/verify", READERS, proofs::verify),
        get("/api/v1/admin/tenants", ADMINS, admin::tenants),
        get("/api/v1/admin/tenants/{tenant}", ADMINS, admin::tenant),
        put("/api/v1/admin/tenants/{tenant}", ADMINS, admin::put_tenant),
        get("/api/v1/admin/tenants/{tenant}/usage", ADMINS, admin::usage),
        get("/api/v1/admin/keys", ADMINS, admin::keys),
        post("/api/v1/admin/keys", ADMINS, admin::create_key),
        delete("/api/v1/admin/keys/{key}", ADMINS, admin::revoke_key),
        get("/api/v1/admin/audit", AUDITORS, admin::audit),
        get(
            "/api/v1/circuits/{circuit}/key",
            READERS,
            verifying_keys::of_circuit,
        ),
        post(
            "/api/v1/circuits/{circuit}/revocation",
            ADMINS,
            verifying_keys::revoke,
        ),
        get("/api/v1/verifying-keys", READERS, verifying_keys::list),
        get(
            "/api/v1/verifying-keys/{name}",
            READERS,
            verifying_keys::show,
        ),
        put(
            "/api/v1/verifying-keys/{name}",
            AUTHORS,
            verifying_keys::publish,
        ),
        get("/api/v1/log/checkpoint", READERS, log::checkpoint),
        get("/api/v1/log/key", READERS, log::key),
        get("/api/v1/log/inclusion", READERS, log::inclusion),
        get("/api/v1/log/consistency", READERS, log::consistency),
        get("/api/v1/log/tile/{*tile}", READERS, log::tile),
        get("/api/v1/workers", ADMINS, workers::list),
        delete(
            "/api/v1/workers/{worker}/quarantine",
            ADMINS,
            workers::trust,
        ),
        get("/api/v1/webhooks", READERS, webhooks::list),
        post("/api/v1/webhooks", USERS, webhooks::create),
        get("/api/v1/webhooks/{webhook}", READERS, webhooks::show),
        delete("/api/v1/webhooks/{webhook}", USERS, webhooks::delete),
        post("/api/v1/webhooks/{webhook}/test", USERS, webhooks::test),
        get(
            "/api/v1/webhooks/{webhook}/deliveries",
            READERS,
            webhooks::deliveries,
        ),
        post(
            "/api/v1/webhooks/{webhook}/deliveries/{task}/replay",
            USERS,
            webhooks::replay,
        ),
    ]
}

/// The table as others see it: method, path and whom it is for.
pub fn table() -> impl Iterator<Item = (Method, &'static str, Access)> {
    rows()
        .into_iter()
        .map(|row| (row.method, row.path, row.access))
}

/// Every route, with its guard and its limits.
pub(crate) fn router(shared: Shared) -> Router {
    let table = rows().into_iter().fold(Router::new(), |router, row| {
        let guard = Guard {
            shared: shared.clone(),
            access: row.access,
        };
        let guard = from_fn_with_state(guard, access::guard);
        router.route(row.path, row.handler.route_layer(guard))
    });
    table
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn_with_state(shared.clone(), edge::run))
        .with_state(shared)
}

fn get<H, T>(path: &'static str, access: Access, handler: H) -> Row
where
    H: Handler<T, Shared>,
    T: 'static,
{
    row(Method::GET, path, access, routing::get(handler))
}

fn post<H, T>(path: &'static str, access: Access, handler: H) -> Row
where
    H: Handler<T, Shared>,
    T: 'static,
{
    row(Method::POST, path, access, routing::post(handler))
}

fn put<H, T>(path: &'static str, access: Access, handler: H) -> Row
where
    H: Handler<T, Shared>,
    T: 'static,
{
    row(Method::PUT, path, access, routing::put(handler))
}

fn delete<H, T>(path: &'static str, access: Access, handler: H) -> Row
where
    H: Handler<T, Shared>,
    T: 'static,
{
    row(Method::DELETE, path, access, routing::delete(handler))
}

const fn row(
    method: Method,
    path: &'static str,
    access: Access,
    handler: MethodRouter<Shared>,
) -> Row {
    Row {
        method,
        path,
        access,
        handler,
    }
}

async fn no_route() -> Refusal {
    Refusal(Problem::new(
        request::ROUTE,
        "the path is none of this API's routes",
    ))
}

async fn no_method() -> Refusal {
    Refusal(Problem::new(
        request::METHOD,
        "the Allow header lists the methods of this route",
    ))
}

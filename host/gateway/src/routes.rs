//! The table of routes. A handler reads its request, calls the platform once, and gives its answer.

mod admin;
mod batch;
mod circuits;
mod errors;
mod events;
mod health;
mod log;
mod plugins;
mod proofs;
mod tasks;
mod verifying_keys;
mod webhooks;
mod workers;

pub(crate) use batch::submit_all;
pub(crate) use plugins::rejected;
pub(crate) use proofs::{check_size, parse as verification, parse_batch as verification_batch};

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
    console, edge, grpc, openapi,
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
    let mut rows = node();
    rows.extend(work());
    rows.extend(receipts());
    rows.extend(hooks());
    rows.extend(administration());
    rows.extend(methods());
    rows
}

/// The routes of the node itself.
fn node() -> Vec<Row> {
    use Access::Open;
    vec![
        get("/health/live", Open, health::live),
        get("/health/ready", Open, health::ready),
        get("/openapi.json", Open, openapi::file),
        get("/", Open, console::root),
        get("/console", Open, console::page),
        get("/console/{*file}", Open, console::file),
        get("/docs", Open, openapi::page),
        get("/docs/page.js", Open, openapi::script),
        get("/docs/page.css", Open, openapi::style),
        get("/api/v1/errors", Open, errors::list),
        get("/api/v1/errors/{code}", Open, errors::show),
        get("/api/v1/me", READERS, admin::me),
    ]
}

/// The routes of plugins, circuits, tasks and proofs.
fn work() -> Vec<Row> {
    vec![
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
        get("/api/v1/tasks/{task}/events", READERS, events::watch),
        post("/api/v1/tasks:batch", USERS, batch::submit),
        post("/api/v1/proofs/verify", READERS, proofs::verify),
        post("/api/v1/proofs/verify:batch", READERS, proofs::verify_batch),
    ]
}

/// The routes of receipts, of the log and of verifying keys.
fn receipts() -> Vec<Row> {
    vec![
        get("/api/v1/tasks/{task}/receipt", READERS, log::receipt),
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
    ]
}

/// The routes of webhooks.
fn hooks() -> Vec<Row> {
    vec![
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

/// The routes of tenants, keys and workers.
fn administration() -> Vec<Row> {
    vec![
        get("/api/v1/admin/tenants", ADMINS, admin::tenants),
        get("/api/v1/admin/tenants/{tenant}", ADMINS, admin::tenant),
        put("/api/v1/admin/tenants/{tenant}", ADMINS, admin::put_tenant),
        get("/api/v1/admin/tenants/{tenant}/usage", ADMINS, admin::usage),
        get("/api/v1/admin/keys", ADMINS, admin::keys),
        post("/api/v1/admin/keys", ADMINS, admin::create_key),
        delete("/api/v1/admin/keys/{key}", ADMINS, admin::revoke_key),
        get("/api/v1/admin/audit", AUDITORS, admin::audit),
        get("/api/v1/admin/overview", ADMINS, admin::overview),
        get("/api/v1/workers", ADMINS, workers::list),
        delete(
            "/api/v1/workers/{worker}/quarantine",
            ADMINS,
            workers::trust,
        ),
    ]
}

/// The methods of gRPC.
fn methods() -> Vec<Row> {
    use Access::Open;
    vec![
        method("/aureole.v1.Plugins/PutPlugin", AUTHORS, grpc::plugins()),
        method("/aureole.v1.Plugins/ListPlugins", READERS, grpc::plugins()),
        method("/aureole.v1.Plugins/GetPlugin", READERS, grpc::plugins()),
        method("/aureole.v1.Plugins/RetirePlugin", AUTHORS, grpc::plugins()),
        method("/aureole.v1.Circuits/PutCircuit", USERS, grpc::circuits()),
        method("/aureole.v1.Circuits/GetCircuit", READERS, grpc::circuits()),
        method(
            "/aureole.v1.Circuits/DownloadCircuit",
            READERS,
            grpc::circuits(),
        ),
        method("/aureole.v1.Circuits/CheckInput", USERS, grpc::circuits()),
        method("/aureole.v1.Tasks/SubmitTask", USERS, grpc::tasks()),
        method("/aureole.v1.Tasks/SubmitTasks", USERS, grpc::tasks()),
        method("/aureole.v1.Tasks/GetTask", READERS, grpc::tasks()),
        method("/aureole.v1.Tasks/ListTasks", READERS, grpc::tasks()),
        method("/aureole.v1.Tasks/CancelTask", USERS, grpc::tasks()),
        method("/aureole.v1.Tasks/ExplainTask", READERS, grpc::tasks()),
        method("/aureole.v1.Tasks/GetProof", READERS, grpc::tasks()),
        method("/aureole.v1.Tasks/WatchTask", READERS, grpc::tasks()),
        method("/aureole.v1.Proofs/VerifyProof", READERS, grpc::proofs()),
        method("/aureole.v1.Proofs/VerifyProofs", READERS, grpc::proofs()),
        method("/aureole.v1.Receipts/GetReceipt", READERS, grpc::receipts()),
        method(
            "/aureole.v1.Receipts/GetCheckpoint",
            READERS,
            grpc::receipts(),
        ),
        method("/aureole.v1.Receipts/GetLogKey", READERS, grpc::receipts()),
        method("/aureole.v1.Receipts/GetTile", READERS, grpc::receipts()),
        method(
            "/aureole.v1.Receipts/ProveInclusion",
            READERS,
            grpc::receipts(),
        ),
        method(
            "/aureole.v1.Receipts/ProveConsistency",
            READERS,
            grpc::receipts(),
        ),
        method("/aureole.v1.Keys/ListVerifyingKeys", READERS, grpc::keys()),
        method("/aureole.v1.Keys/GetVerifyingKey", READERS, grpc::keys()),
        method(
            "/aureole.v1.Keys/PublishVerifyingKey",
            AUTHORS,
            grpc::keys(),
        ),
        method("/aureole.v1.Keys/GetCircuitKey", READERS, grpc::keys()),
        method("/aureole.v1.Keys/RevokeVerifyingKey", ADMINS, grpc::keys()),
        method("/grpc.health.v1.Health/Check", Open, grpc::health()),
        method("/grpc.health.v1.Health/Watch", Open, grpc::health()),
        method(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            Open,
            grpc::reflection(),
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

/// A method of gRPC.
fn method(path: &'static str, access: Access, handler: MethodRouter<Shared>) -> Row {
    row(Method::POST, path, access, handler)
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

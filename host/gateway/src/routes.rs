//! The table of routes. A handler reads its request, calls the platform once, and gives its answer.

mod circuits;
mod errors;
mod health;
mod plugins;
mod proofs;
mod tasks;

use aureole_api::{Problem, codes::request};
use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};

use crate::{answer::Refusal, edge, shared::Shared};

/// Every route, with its limits; `HEAD` goes with each `GET`.
pub(crate) fn router(shared: Shared) -> Router {
    let api = Router::new()
        .route("/plugins", get(plugins::list).post(plugins::put))
        .route(
            "/plugins/{plugin}",
            get(plugins::show).delete(plugins::retire),
        )
        .route(
            "/plugins/{plugin}/{version}",
            get(plugins::show_version).delete(plugins::retire_version),
        )
        .route("/circuits", post(circuits::put))
        .route("/circuits/{circuit}", get(circuits::show))
        .route("/circuits/{circuit}/ir", get(circuits::ir))
        .route("/circuits/{circuit}/check", post(circuits::check))
        .route("/tasks", get(tasks::list).post(tasks::submit))
        .route(
            "/tasks/{task}",
            get(tasks::show)
                .post(tasks::submit_to)
                .delete(tasks::cancel),
        )
        .route("/tasks/{task}/explain", get(tasks::explain))
        .route("/tasks/{task}/proof", get(tasks::proof))
        .route("/proofs/verify", post(proofs::verify))
        .route("/errors", get(errors::list))
        .route("/errors/{code}", get(errors::show));
    Router::new()
        .nest("/api/v1", api)
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn_with_state(shared.clone(), edge::run))
        .with_state(shared)
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

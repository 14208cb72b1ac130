//! What the API is, as an OpenAPI 3.1 document: written from the table of operations, the types of
//! `aureole-api` and the table of codes, never by hand.
//!
//! ```text
//! routes ──┐ (one operation each: a test walks both)
//! operations ▸ write ▸ /openapi.json ▸ /docs
//! types (schemars) ─┘        └ host/api/openapi.json, which a test keeps equal
//! ```

mod circuits;
mod node;
mod operation;
mod page;
mod parameters;
mod plugins;
mod proofs;
mod receipts;
mod refusals;
mod tasks;
mod tenants;
mod webhooks;
mod write;

use std::sync::LazyLock;

use aureole_api::codes::Code;
use axum::{
    http::{Method, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use serde_json::Value;

pub(crate) use page::{page, script, style};

use crate::routes;
use operation::Operation;

/// Every operation, in the order of the document, with the roles of its row.
fn operations() -> Vec<Operation> {
    let mut operations = [
        plugins::operations(),
        circuits::operations(),
        tasks::operations(),
        proofs::operations(),
        receipts::operations(),
        webhooks::operations(),
        tenants::operations(),
        node::operations(),
    ]
    .concat();
    for (method, path, access) in routes::table() {
        let is_row =
            |operation: &&mut Operation| operation.method == method && operation.path == path;
        if let Some(operation) = operations.iter_mut().find(is_row) {
            operation.access = access;
        }
    }
    operations
}

/// The document of this build.
#[must_use]
pub fn document() -> Value {
    write::document(&operations())
}

/// The codes that an operation may answer with, by its method and path as the router has it;
/// `None` for a route that the document does not have.
#[must_use]
pub fn codes_of(method: &Method, path: &str) -> Option<Vec<Code>> {
    let operations = operations();
    let is_meant = |operation: &&Operation| operation.method == *method && operation.path == path;
    operations.iter().find(is_meant).map(Operation::codes)
}

/// `/openapi.json`: the document, written once.
pub(crate) async fn file() -> Response {
    static BYTES: LazyLock<Bytes> =
        LazyLock::new(|| serde_json::to_vec(&document()).unwrap_or_default().into());
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, BYTES.clone()).into_response()
}

//! Which codes an operation may answer with.

use aureole_api::codes::{self, Code, access, json, node, plugin, request};

use crate::Access;

use super::operation::{Operation, Shape};

/// Those that every request of an operation's kind may meet, whatever the operation does.
pub(super) fn of_kind(operation: &Operation) -> Vec<Code> {
    let mut codes = vec![node::INTERNAL];
    if !operation.path.starts_with("/health/") {
        codes.push(node::BUSY);
    }
    if operation.access != Access::Open {
        // Who asks is the leader's to say where this process does not know.
        codes.extend([access::UNAUTHENTICATED, access::FORBIDDEN, access::RATE]);
        codes.push(access::CONCURRENCY);
        // Tokens need the keys of their issuer.
        codes.push(access::ISSUER_AWAY);
        codes.push(node::NO_LEADER);
    }
    let has = |place| operation.parameters.iter().any(|p| p.place == place);
    if has("path") {
        codes.extend([request::ROUTE, request::PATH, request::ID]);
    }
    if operation.path.starts_with("/api/") {
        // A query may hold no parameter that the operation does not have.
        codes.push(request::QUERY);
    }
    for parameter in &operation.parameters {
        match parameter.name {
            "wait" => codes.push(request::WAIT),
            "before" => codes.push(request::CURSOR),
            "Idempotency-Key" => codes.push(request::IDEMPOTENCY_KEY),
            _ => {}
        }
    }
    if let Some(body) = &operation.body {
        codes.extend([
            request::CONTENT_TYPE,
            request::CONTENT_ENCODING,
            request::TIMEOUT,
            request::BODY,
        ]);
        match body.shape {
            Shape::Bytes => codes.push(plugin::TOO_LARGE),
            Shape::Json => codes.extend(syntax()),
            _ => codes.extend(syntax().into_iter().chain(form())),
        }
    }
    codes
}

/// A body that is no JSON that is taken.
fn syntax() -> [Code; 7] {
    [
        request::TOO_LARGE,
        json::SYNTAX,
        json::ENCODING,
        json::DUPLICATE_KEY,
        json::DEPTH,
        json::SIZE,
        json::NUMBER,
    ]
}

/// A body that does not fit the operation's type.
fn form() -> [Code; 3] {
    [json::UNKNOWN_FIELD, json::MISSING_FIELD, json::TYPE]
}

/// What a call that reads or writes facts may meet: no leader, a start, an end, a disk, an archive.
pub(super) fn facts() -> impl Iterator<Item = Code> {
    families(&["node"])
}

/// What a call that stores something for a tenant may meet beside [`facts`].
pub(super) fn stored() -> impl Iterator<Item = Code> {
    let own = [codes::circuit::LEDGER, access::TENANT_SUSPENDED];
    families(&["quota"]).chain(own)
}

/// Every code of some families: what a plugin, a circuit or an input may be refused for once it is
/// worked on, or what a task may have failed with.
pub(super) fn families(names: &'static [&'static str]) -> impl Iterator<Item = Code> {
    codes::all()
        .filter(|code| {
            let family = code.code.split('.').next().unwrap_or_default();
            names.contains(&family)
        })
        .copied()
}

/// What work on a component may end with.
pub(super) const OF_COMPONENTS: &[&str] = &[
    "plugin", "circuit", "ir", "params", "limits", "sandbox", "prover",
];

/// What a proof may end with.
pub(super) const OF_TASKS: &[&str] = &[
    "plugin", "circuit", "ir", "params", "limits", "sandbox", "prover", "input", "witness", "task",
    "proof", "node",
];

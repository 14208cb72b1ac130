//! Every answer that any test of this binary gets is one that the OpenAPI document promises.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::wire::Reply;

static DOCUMENT: LazyLock<Value> = LazyLock::new(aureole_gateway::openapi);

/// Checks the answer to a request whose first bytes are these.
pub(crate) fn check(request: &[u8], reply: &Reply) {
    let head = String::from_utf8_lossy(request);
    let mut words = head.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return;
    };
    let path = target.split('?').next().unwrap_or_default();
    let Some(operation) = operation(method, path) else {
        return;
    };
    // What is no HTTP is refused before any route, without a document.
    if reply.status == 0 || reply.header("x-request-id").is_none() {
        return;
    }
    let status = reply.status.to_string();
    let Some(promised) = operation["responses"].get(&status) else {
        panic!("{method} {path} answered {status}, which is not documented: {reply:?}");
    };
    if method == "HEAD" || reply.body.is_empty() {
        return;
    }
    let kind = reply.header("content-type").unwrap_or_default();
    let Some(schema) = promised["content"][kind].get("schema") else {
        panic!("{method} {path} {status} answered {kind}, which is not documented");
    };
    if let Ok(body) = serde_json::from_str::<Value>(&reply.body) {
        let whole = json!({"allOf": [schema], "components": DOCUMENT["components"]});
        let validator = jsonschema::validator_for(&whole).unwrap();
        if let Err(error) = validator.validate(&body) {
            panic!(
                "{method} {path} {status}: {error} at {}: {body}",
                error.instance_path()
            );
        }
    }
}

/// The operation that a path is routed to: one with fewer parameters before one with more.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let method = match method {
        "HEAD" => "get".to_owned(),
        "GET" | "POST" | "PUT" | "DELETE" => method.to_lowercase(),
        _ => return None,
    };
    let given: Vec<&str> = path.split('/').collect();
    let fits = |template: &&String| {
        let parts: Vec<&str> = template.split('/').collect();
        // A tile's parameter and a file's are the rest of the path.
        let last = parts.last().copied();
        let is_rest = matches!(last, Some("{tile}" | "{file}")) && given.len() > parts.len();
        (is_rest || parts.len() == given.len())
            && parts
                .iter()
                .zip(&given)
                .all(|(part, text)| part == text || (part.starts_with('{') && !text.is_empty()))
    };
    let paths = DOCUMENT["paths"].as_object()?;
    let template = paths
        .keys()
        .filter(fits)
        .min_by_key(|template| template.matches('{').count())?;
    paths[template].get(&method)
}

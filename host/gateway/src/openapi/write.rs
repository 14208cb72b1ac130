//! The table of operations as one JSON document.

use std::collections::BTreeMap;

use aureole_api::{MEDIA_TYPE, Problem, codes::Code};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::Access;

use super::operation::{Body, Operation, Parameter, Reply, Shape};

const ABOUT: &str = "Submits work to a node or a cluster that proves it. Answers are JSON whatever \
    `accept` says. But for health, codes and this document every operation asks for an API key, of \
    one of the roles that it names. Every refusal is a problem document with a stable code; each operation lists \
    the codes that it answers with.";

/// The groups, in the order they are shown in.
const TAGS: [&str; 8] = [
    "plugins", "circuits", "tasks", "proofs", "receipts", "webhooks", "tenants", "node",
];

/// The name of the one security scheme.
const KEY: &str = "key";

/// Where the schemas of types stand.
const SCHEMAS: &str = "/components/schemas";

/// Turns types into schemas that refer to the document's components.
struct Schemas {
    /// Of what is sent: a field with a default need not be there.
    requests: SchemaGenerator,
    /// Of what is answered: a field that is always written is there.
    answers: SchemaGenerator,
}

/// Writes the document.
pub(super) fn document(operations: &[Operation]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let written = schemas.operation(operation);
        let method = operation.method.as_str().to_lowercase();
        paths
            .entry(operation.written_path())
            .or_default()
            .insert(method, written);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Aureole",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "A self-hosted proving platform.",
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": TAGS.map(|name| json!({"name": name})),
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "securitySchemes": {KEY: {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "aur_...",
                "description": "An API key, in one Authorization header and nowhere else.",
            }},
        },
    })
}

// === impl Schemas ===

impl Schemas {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = SCHEMAS.into();
                settings.meta_schema = None;
            })
        };
        Self {
            requests: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
        }
    }

    /// The schemas of all types met so far.
    fn components(mut self) -> Map<String, Value> {
        let mut all = self.answers.take_definitions(true);
        for (name, schema) in self.requests.take_definitions(true) {
            // A type of both ways has its looser form: what is answered fits what is sent.
            all.insert(name, schema);
        }
        all
    }

    fn operation(&mut self, operation: &Operation) -> Value {
        let mut written = Map::new();
        written.insert("operationId".into(), operation.id.into());
        written.insert("tags".into(), json!([operation.tag]));
        written.insert("summary".into(), operation.summary.into());
        if !operation.description.is_empty() {
            written.insert("description".into(), operation.description.into());
        }
        if !operation.parameters.is_empty() {
            let parameters: Vec<Value> = operation.parameters.iter().map(parameter).collect();
            written.insert("parameters".into(), parameters.into());
        }
        if let Some(body) = &operation.body {
            written.insert("requestBody".into(), self.body(body));
        }
        match operation.access {
            Access::Open => {
                written.insert("security".into(), json!([]));
            }
            Access::Roles(roles) => {
                let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
                written.insert("security".into(), json!([{KEY: []}]));
                written.insert("x-roles".into(), json!(names));
            }
        }
        written.insert("responses".into(), self.responses(operation).into());
        written.into()
    }

    fn body(&mut self, body: &Body) -> Value {
        let schema = match body.shape {
            Shape::Type(of) => of(&mut self.requests).to_value(),
            other => plain(other),
        };
        let mut media = json!({"schema": schema});
        if !body.examples.is_empty() {
            let examples: Map<String, Value> = body
                .examples
                .iter()
                .map(|(name, value)| ((*name).to_owned(), json!({"value": value})))
                .collect();
            media["examples"] = examples.into();
        }
        let content: Map<String, Value> = body
            .media
            .iter()
            .map(|kind| ((*kind).to_owned(), media.clone()))
            .collect();
        json!({"description": body.description, "required": true, "content": content})
    }

    fn responses(&mut self, operation: &Operation) -> Map<String, Value> {
        let links: Map<String, Value> = operation
            .links
            .iter()
            .map(|link| {
                let parameters = json!({link.parameter: link.value});
                let target = json!({"operationId": link.operation, "parameters": parameters});
                (link.operation.to_owned(), target)
            })
            .collect();
        let mut responses: BTreeMap<u16, Value> = BTreeMap::new();
        for answer in &operation.answers {
            let mut written = self.answer(answer);
            if !links.is_empty() {
                written["links"] = links.clone().into();
            }
            match responses.get_mut(&answer.status) {
                // The same in another medium.
                Some(known) => {
                    known["content"][answer.media] = written["content"][answer.media].take();
                }
                None => {
                    responses.insert(answer.status, written);
                }
            }
        }
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in operation.codes() {
            by_status.entry(code.status).or_default().push(code);
        }
        for (status, codes) in by_status {
            let refusal = self.refusal(&codes);
            match responses.get_mut(&status) {
                Some(answer) => {
                    answer["content"][MEDIA_TYPE] = refusal["content"][MEDIA_TYPE].clone()
                }
                None => {
                    responses.insert(status, refusal);
                }
            }
        }
        responses
            .into_iter()
            .map(|(status, response)| (status.to_string(), response))
            .collect()
    }

    fn answer(&mut self, answer: &Reply) -> Value {
        let mut written = json!({"description": answer.description});
        let schema = match answer.shape {
            Shape::Empty => None,
            Shape::Type(of) => Some(of(&mut self.answers).to_value()),
            other => Some(plain(other)),
        };
        if let Some(schema) = schema {
            written["content"] = json!({answer.media: {"schema": schema}});
        }
        if !answer.headers.is_empty() {
            let headers: Map<String, Value> = answer
                .headers
                .iter()
                .map(|header| {
                    let schema = json!({"type": "string"});
                    let of =
                        json!({"description": header.says(), "required": true, "schema": schema});
                    (header.name().to_owned(), of)
                })
                .collect();
            written["headers"] = headers.into();
        }
        written
    }

    /// The refusals of one status: a problem document with one of these codes.
    fn refusal(&mut self, codes: &[Code]) -> Value {
        let problem = self.answers.subschema_for::<Problem>().to_value();
        let names: Vec<&str> = codes.iter().map(|code| code.code).collect();
        let lines = codes
            .iter()
            .map(|code| format!("- `{}`: {}", code.code, code.title));
        let one_of = json!({"properties": {"code": {"enum": names}}});
        json!({
            "description": lines.collect::<Vec<_>>().join("\n"),
            "content": {MEDIA_TYPE: {"schema": {"allOf": [problem, one_of]}}},
        })
    }
}

fn parameter(parameter: &Parameter) -> Value {
    let mut written = json!({
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": parameter.schema,
    });
    if let Some(example) = &parameter.example {
        written["example"] = example.clone();
    }
    written
}

/// The schema of what has no type.
fn plain(shape: Shape) -> Value {
    match shape {
        Shape::Bytes => json!({"type": "string", "contentMediaType": "application/octet-stream"}),
        Shape::Text => json!({"type": "string"}),
        Shape::Json | Shape::Empty | Shape::Type(_) => json!({}),
    }
}

//! The document: complete, valid, and the one in the repository; the page that shows it.

use std::{collections::BTreeSet, fs};

use aureole_gateway::{Access, openapi, table};
use serde_json::{Value, json};

use crate::wire::server;

fn operations(document: &Value) -> impl Iterator<Item = (String, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods
            .iter()
            .map(|(method, operation)| (method.to_uppercase(), path.as_str(), operation))
    })
}

#[test]
fn every_route_is_documented_with_its_roles_and_nothing_else_is() {
    let document = openapi();
    let documented: BTreeSet<(String, &str)> = operations(&document)
        .map(|(method, path, _)| (method, path))
        .collect();
    // gRPC describes itself, by reflection.
    let rows: Vec<(String, String, Access)> = table()
        .filter(|(_, path, _)| !path.contains(".v1."))
        .map(|(method, path, access)| (method.to_string(), path.replace("{*", "{"), access))
        .collect();
    let routed: BTreeSet<(String, &str)> = rows
        .iter()
        .map(|(method, path, _)| (method.clone(), path.as_str()))
        .collect();
    assert_eq!(documented, routed);
    assert_eq!(rows.len(), routed.len(), "a row stands twice");
    for (method, path, access) in &rows {
        let operation = &document["paths"][path][method.to_lowercase()];
        let text = format!("{method} {path}");
        assert!(operation["summary"] != "", "{text} says nothing");
        let guarded = ["401", "403", "429"].map(|status| operation["responses"].get(status));
        match access {
            Access::Open => {
                assert_eq!(operation["security"], json!([]), "{text}");
                assert_eq!(guarded, [None; 3], "{text}");
            }
            Access::Roles(roles) => {
                assert_eq!(operation["security"], json!([{"key": []}]), "{text}");
                let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
                assert_eq!(operation["x-roles"], json!(names), "{text}");
                assert!(guarded.iter().all(Option::is_some), "{text}");
            }
        }
    }
    assert_eq!(
        document["components"]["securitySchemes"]["key"]["scheme"],
        "bearer"
    );
}

#[test]
fn the_document_in_the_repository_is_the_one_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../api/openapi.json");
    let written = format!("{}\n", serde_json::to_string_pretty(&openapi()).unwrap());
    if std::env::var_os("AUREOLE_BLESS").is_some() {
        fs::write(path, &written).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(committed == written, "run with AUREOLE_BLESS=1");
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = openapi();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let mut names = BTreeSet::new();
    for (_, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} of {path} stands twice");
    }
    for (_, path, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        for link in responses
            .values()
            .filter_map(|response| response["links"].as_object())
            .flatten()
        {
            assert!(
                names.contains(link.0.as_str()),
                "{path} leads to {}",
                link.0
            );
        }
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = openapi();
    let mut seen = 0;
    for (_, path, operation) in operations(&document) {
        let content = operation["requestBody"]["content"].as_object();
        for media in content.into_iter().flat_map(|content| content.values()) {
            let whole = serde_json::json!({
                "allOf": [media["schema"]], "components": document["components"],
            });
            let validator = jsonschema::validator_for(&whole).unwrap();
            for (name, example) in media["examples"].as_object().into_iter().flatten() {
                let fits = validator.validate(&example["value"]);
                assert!(fits.is_ok(), "{path} {name}: {:?}", fits.err());
                seen += 1;
            }
        }
    }
    assert!(seen >= 5, "{seen}");
}

#[tokio::test]
async fn a_node_answers_its_document_and_a_page_that_needs_no_other_server() {
    let server = server().await;
    let answered = server.ask("GET", "/openapi.json").await;
    assert_eq!(answered.header("content-type"), Some("application/json"));
    let document: Value = serde_json::from_str(&answered.body).unwrap();
    assert!(document == openapi());
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/page.js", "text/javascript; charset=utf-8"),
        ("/docs/page.css", "text/css; charset=utf-8"),
    ] {
        let file = server.ask("GET", path).await;
        assert_eq!(file.status, 200);
        assert_eq!(file.header("content-type"), Some(kind));
        let policy = file.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        // Nothing is taken from elsewhere, and nothing stands in the page that the policy forbids.
        for forbidden in [
            "http://",
            "https://",
            "<style",
            "style=",
            "onclick",
            "innerHTML",
        ] {
            assert!(!file.body.contains(forbidden), "{path} holds {forbidden}");
        }
    }
}

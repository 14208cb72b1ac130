//! The node itself in the document: its codes, its health, and this document.

use aureole_api::{
    codes::{Code, request},
    rest::{CodeTable, Health, Live},
};
use axum::http::Method;

use super::{
    operation::{Operation, Shape},
    parameters,
};

const TAG: &str = "node";

pub(super) fn operations() -> Vec<Operation> {
    let get = |id, path| Operation::new(TAG, id, Method::GET, path);
    vec![
        get("listErrors", "/api/v1/errors")
            .says("Lists every stable code", "")
            .answers::<CodeTable>(200, &[], "The codes."),
        get("showError", "/api/v1/errors/{code}")
            .says(
                "Explains a code",
                "The `type` of a problem document leads here.",
            )
            .with(parameters::code())
            .answers::<Code>(200, &[], "The code.")
            .refuses([request::ROUTE]),
        get("live", "/health/live")
            .says("Says that the process answers", "")
            .answers::<Live>(200, &[], "It does."),
        get("ready", "/health/ready")
            .says("Says whether the node takes work", "")
            .answers::<Health>(200, &[], "It does.")
            .answers::<Health>(503, &[], "It does not; `checks` say what is missing."),
        get("openapi", "/openapi.json")
            .says("Is this document", "")
            .replies(200, "application/json", Shape::Json, &[], "OpenAPI 3.1."),
        get("docs", "/docs")
            .says("Shows this document to people", "Needs no other server.")
            .replies(200, "text/html; charset=utf-8", Shape::Text, &[], "A page."),
        get("docsScript", "/docs/page.js")
            .says("Is the script of the page", "")
            .replies(
                200,
                "text/javascript; charset=utf-8",
                Shape::Text,
                &[],
                "A script.",
            ),
        get("docsStyle", "/docs/page.css")
            .says("Is the style of the page", "")
            .replies(
                200,
                "text/css; charset=utf-8",
                Shape::Text,
                &[],
                "A style sheet.",
            ),
    ]
}

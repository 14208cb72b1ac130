//! The node itself in the document: its codes, its health, and this document.

use aureole_api::{
    codes::{Code, request},
    rest::{CodeTable, Health, Live},
};
use axum::http::Method;

use super::{
    operation::{Header, Operation, Shape},
    parameters,
};

const TAG: &str = "node";

/// The headers of what can be asked for again.
const ETAG: &[Header] = &[Header::Etag];

pub(super) fn operations() -> Vec<Operation> {
    let get = |id, path| Operation::new(TAG, id, Method::GET, path);
    let mut operations = vec![
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
    ];
    operations.extend(console());
    operations
}

/// The console, which is no part of the API and stands here so that every route does.
fn console() -> [Operation; 3] {
    let get = |id, path| Operation::new(TAG, id, Method::GET, path);
    let file = get("consoleFile", "/console/{*file}")
        .says("Is a script, a style sheet or the icon of the console", "")
        .with(parameters::console_file())
        .with(parameters::if_none_match());
    let kinds = [
        "text/javascript; charset=utf-8",
        "text/css; charset=utf-8",
        "image/svg+xml",
    ];
    let file = kinds.into_iter().fold(file, |file, media| {
        file.replies(200, media, Shape::Text, ETAG, "A file.")
    });
    [
        get("root", "/").says("Leads to the console", "").replies(
            307,
            "",
            Shape::Empty,
            &[Header::Location],
            "It is there.",
        ),
        get("console", "/console")
            .says(
                "Shows the console",
                "A page that uses this API with the key of whoever looks at it.",
            )
            .with(parameters::if_none_match())
            .replies(
                200,
                "text/html; charset=utf-8",
                Shape::Text,
                ETAG,
                "A page.",
            )
            .replies(304, "", Shape::Empty, ETAG, "The caller has it."),
        file.replies(304, "", Shape::Empty, ETAG, "The caller has it."),
    ]
}

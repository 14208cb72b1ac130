//! The console: a page for people at `/console`, of the files in `host/gateway/console`, which stand in
//! the binary. It speaks with this node's REST API and with nothing else; nothing is built, and nothing
//! is fetched from elsewhere.
//!
//! The policy lets it run its own scripts and take its own styles, and nothing that stands in the page
//! itself; so a text that a tenant wrote has no way to be run, even if it were taken for markup.

use std::{collections::BTreeMap, sync::LazyLock};

use aureole_api::{Problem, codes::request};
use aureole_ledger::Digest;
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    answer::{Answer, entity_tag, names},
    extract::Segment,
};

/// Where the console is.
const PLACE: &str = "/console";

/// What the page itself is called among the files.
const PAGE: &str = "index.html";

/// What a page of the console may do.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob: data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; \
    base-uri 'none'";

macro_rules! files {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../console/", $name)))),*]
    };
}

/// Every file, by its path below [`PLACE`].
const FILES: [(&str, &str); 34] = files![
    "index.html" "style.css" "parts.css" "icon.svg"
    "api.js" "app.js" "charts.js" "circuit-ir.js" "dom.js" "format.js" "formula.js" "layout.js"
    "log.js" "recent.js" "schema-form.js" "sha256.js" "ui.js"
    "pages/audit.js" "pages/circuit.js" "pages/failures.js" "pages/keys.js" "pages/login.js"
    "pages/overview.js" "pages/plugin.js" "pages/plugins.js" "pages/receipts.js" "pages/task.js"
    "pages/tasks.js" "pages/tenant.js" "pages/tenants.js" "pages/trial.js" "pages/verification.js"
    "pages/webhooks.js" "pages/workers.js"
];

/// A file as it is answered.
struct File {
    kind: &'static str,
    text: &'static str,
    tag: String,
}

static BY_NAME: LazyLock<BTreeMap<&'static str, File>> = LazyLock::new(|| {
    let each = FILES.into_iter().map(|(name, text)| {
        let tag = entity_tag(&Digest::of(text.as_bytes()));
        let kind = kind(name);
        (name, File { kind, text, tag })
    });
    each.collect()
});

/// `/`: people who come by the name of the node alone are meant for the console.
pub(crate) async fn root() -> Response {
    let place = [
        (header::LOCATION, PLACE),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (StatusCode::TEMPORARY_REDIRECT, place).into_response()
}

/// The page.
pub(crate) async fn page(headers: HeaderMap) -> Answer {
    answer(PAGE, &headers)
}

/// A script, a style sheet or the icon.
pub(crate) async fn file(segment: Segment, headers: HeaderMap) -> Answer {
    match segment.text() {
        // The page has one address, so that what is relative to it is, too.
        PAGE => Err(unknown().into()),
        name => answer(name, &headers),
    }
}

fn answer(name: &str, request: &HeaderMap) -> Answer {
    let file = BY_NAME.get(name).ok_or_else(unknown)?;
    let headers = [
        (header::ETAG, file.tag.as_str()),
        // Kept, and asked for again: a page and its scripts are of one build.
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    if names(request, &header::IF_NONE_MATCH, &file.tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let kind = [(header::CONTENT_TYPE, file.kind)];
    Ok((headers, kind, file.text).into_response())
}

fn unknown() -> Problem {
    Problem::new(request::ROUTE, "the console has no such file")
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    }
}

//! A refusal or failure as a problem document (RFC 9457).
//!
//! The same document is the body of a refused request and the `error` of a failed task. Its text
//! is clean: control characters are dropped and its length is bounded, so that a plugin's words
//! can be shown in a terminal and written to a log. It never holds private inputs; whoever makes
//! one keeps that promise.

use std::{error, fmt};

use serde::{Deserialize, Serialize};

use crate::codes::{self, Code};
use crate::rest::Failure;

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Longest detail in characters: sixteen failed constraints with their names fit.
pub const DETAIL_MAX: usize = 4096;

/// Longest path in characters: deeper than any pointer into a document of 64 levels with
/// ordinary names.
pub const PATH_MAX: usize = 512;

/// What went wrong, with a stable code, in words that name the item, the limit and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Problem(Box<Document>);

/// The fields as they stand on the wire; boxed because a problem is the error of most results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "Problem")
)]
struct Document {
    /// Where the code is explained.
    #[serde(rename = "type", default)]
    kind: String,
    /// The code in one line.
    #[serde(default)]
    title: String,
    /// The HTTP status.
    #[serde(default)]
    status: u16,
    /// The stable code; `GET /api/v1/errors` lists all.
    code: String,
    /// What happened, in words.
    #[serde(default)]
    detail: String,
    /// A JSON pointer to the place in the body or the input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The task that met the problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    /// The request, as its log lines name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// After how many seconds to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    /// What an input breaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Failure>,
}

// === impl Problem ===

impl Problem {
    /// A problem of a known code.
    pub fn new(code: Code, detail: impl AsRef<str>) -> Self {
        Self(Box::new(Document {
            kind: format!("/api/v1/errors/{}", code.code),
            title: code.title.to_owned(),
            status: code.status,
            code: code.code.to_owned(),
            detail: clean(detail.as_ref(), DETAIL_MAX),
            path: None,
            task: None,
            request_id: None,
            retry_after: (code.status == 503).then_some(1),
            failures: Vec::new(),
        }))
    }

    /// A problem whose code comes as text from a room inside. A code that is not in the table is
    /// a fault of the platform: it becomes `internal`, and the foreign code stands in the detail.
    pub fn named(code: &str, detail: impl AsRef<str>) -> Self {
        match codes::find(code) {
            Some(known) => Self::new(*known, detail),
            None => Self::new(
                codes::node::INTERNAL,
                format!("undocumented code {code}: {}", detail.as_ref()),
            ),
        }
    }

    /// Names the place: a JSON pointer into the body, or into the input.
    #[must_use]
    pub fn at(mut self, path: impl AsRef<str>) -> Self {
        self.0.path = Some(clean(path.as_ref(), PATH_MAX));
        self
    }

    /// Names the task that met the problem.
    #[must_use]
    pub fn of_task(mut self, task: impl fmt::Display) -> Self {
        self.0.task = Some(task.to_string());
        self
    }

    /// Names the request, so that its log lines can be found.
    #[must_use]
    pub fn of_request(mut self, request_id: impl Into<String>) -> Self {
        self.0.request_id = Some(request_id.into());
        self
    }

    /// Lists what an input breaks. Whoever makes the list leaves values out.
    #[must_use]
    pub fn with_failures(mut self, failures: Vec<Failure>) -> Self {
        self.0.failures = failures;
        self
    }

    /// What an input breaks, the first failures; empty for other problems.
    pub fn failures(&self) -> &[Failure] {
        &self.0.failures
    }

    /// Says when to try again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Whether the problem has this code.
    pub fn is(&self, code: Code) -> bool {
        self.0.code == code.code
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The code's title.
    pub fn title(&self) -> &str {
        &self.0.title
    }

    /// What happened, in words.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// A JSON pointer to the place.
    pub fn path(&self) -> Option<&str> {
        self.0.path.as_deref()
    }

    /// The task that met the problem.
    pub fn task(&self) -> Option<&str> {
        self.0.task.as_deref()
    }

    /// The id of the refused request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// After how many seconds it makes sense to try again.
    pub fn retry_seconds(&self) -> Option<u32> {
        self.0.retry_after
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Problem {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Document::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Document::json_schema(generator)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.0.code)?;
        if let Some(path) = self.path() {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.0.detail)
    }
}

impl error::Error for Problem {}

/// Replaces control and direction-changing characters by spaces and cuts at `max` characters.
fn clean(text: &str, max: usize) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let mut clean = String::with_capacity(text.len().min(max));
    for (index, c) in text.chars().enumerate() {
        if index == max {
            clean.push('…');
            break;
        }
        clean.push(if hidden(c) { ' ' } else { c });
    }
    clean
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::{DETAIL_MAX, Problem};
    use crate::codes;

    #[test]
    fn a_problem_is_written_with_all_that_the_standard_names() {
        let problem = Problem::new(codes::json::TYPE, "expected a string")
            .at("/plugin")
            .of_request("req_1");
        let document = serde_json::to_value(&problem).unwrap();
        assert_eq!(
            document,
            serde_json::json!({
                "type": "/api/v1/errors/json.type",
                "title": "a value has the wrong type or form",
                "status": 422,
                "code": "json.type",
                "detail": "expected a string",
                "path": "/plugin",
                "request_id": "req_1",
            })
        );
        assert_eq!(
            serde_json::from_value::<Problem>(document).unwrap(),
            problem
        );
        assert_eq!(problem.to_string(), "json.type: /plugin: expected a string");
    }

    #[test]
    fn an_undocumented_code_is_a_fault_of_the_platform() {
        let problem = Problem::named("plugin.novel", "text");
        assert!(problem.is(codes::node::INTERNAL));
        assert_eq!(problem.detail(), "undocumented code plugin.novel: text");
    }

    #[test]
    fn foreign_text_can_neither_steer_a_terminal_nor_fill_a_log() {
        let problem = Problem::new(codes::plugin::TRAP, "\u{1b}[31mred\nnext \u{202e}rtl");
        assert_eq!(problem.detail(), " [31mred next  rtl");
        let long = Problem::new(codes::plugin::TRAP, "é".repeat(DETAIL_MAX + 1));
        assert_eq!(long.detail().chars().count(), DETAIL_MAX + 1);
        assert!(long.detail().ends_with('…'));
    }

    #[test]
    fn a_busy_node_says_when_to_come_back() {
        let problem = Problem::new(codes::node::BUSY, "512 connections");
        assert_eq!(problem.retry_seconds(), Some(1));
        assert_eq!(problem.retry_after(7).retry_seconds(), Some(7));
    }
}

//! The documentation page of the codes, as `CODES.md` and as text of a running node.

use std::fmt::Write as _;

use super::all;

const HEAD: &str = "# Error codes

Every refusal carries one of these codes in its `application/problem+json` body: `type`, `title`, `status`, `code`, `detail`, `request_id`, and where they apply `path` (a JSON pointer into the request's body, or into the input) and `task`.
A failed task carries the same document in its `error`.
Codes are stable: one keeps its meaning and its status.
This page is generated from `src/codes.rs`; a running node answers it as JSON at `GET /api/v1/errors`.
";

/// Writes the page in Markdown.
pub fn markdown() -> String {
    let mut page = String::from(HEAD);
    let mut family = "";
    for code in all() {
        let of = code.code.split('.').next().unwrap_or_default();
        if of != family {
            family = of;
            let _infallible = write!(page, "\n## {family}\n");
        }
        let _infallible = write!(
            page,
            "\n### `{}` ({})\n{}.\n\n{}\n\nWhat to do: {}\n",
            code.code,
            code.status,
            capitalised(code.title),
            code.meaning,
            code.what_to_do
        );
    }
    page
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(rest).collect()
    })
}

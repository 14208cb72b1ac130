//! Why a piece of work was refused, in the form that reaches the person who asked for it.

use std::fmt;

use aureole_store::Digest;
use serde::{Deserialize, Serialize};

use crate::limits::DETAIL_BYTES_MAX;

/// A refusal: the plugin, its parameters or the input are to blame, and no retry helps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable code of the table in `host/api`.
    pub code: String,
    /// Item, value and limit, in one sentence. Never a private value.
    pub detail: String,
    /// JSON pointer into the input or the parameters.
    pub path: Option<String>,
    /// A longer report, in the depot.
    pub report: Option<Digest>,
}

// === impl Problem ===

impl Problem {
    /// Makes a problem; control characters are replaced and long text is cut.
    #[must_use]
    pub fn new(code: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self {
            code: code.into(),
            detail: clean(&detail.to_string(), DETAIL_BYTES_MAX),
            path: None,
            report: None,
        }
    }

    /// Adds the place in the input or the parameters.
    #[must_use]
    pub fn at(mut self, path: Option<&str>) -> Self {
        self.path = path.map(|path| clean(path, DETAIL_BYTES_MAX));
        self
    }

    /// Adds the digest of a longer report, which is in the depot already.
    #[must_use]
    pub const fn with_report(mut self, report: Digest) -> Self {
        self.report = Some(report);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

/// Makes text of unknown origin fit for a log line: no control characters, a bounded length.
pub(crate) fn clean(text: &str, bytes_max: usize) -> String {
    let mut kept = String::new();
    for character in text.trim().chars() {
        let character = if character.is_control() {
            ' '
        } else {
            character
        };
        if kept.len() + character.len_utf8() > bytes_max {
            break;
        }
        kept.push(character);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_spaces_and_long_text_is_cut_at_a_character() {
        assert_eq!(clean("a\u{1b}[31mred\nline", 100), "a [31mred line");
        assert_eq!(clean("ééé", 5), "éé");
    }

    #[test]
    fn a_problem_shows_its_code_first() {
        let problem = Problem::new("witness.unsatisfied", "row 3").at(Some("/leaves/1"));
        assert_eq!(problem.to_string(), "witness.unsatisfied: row 3");
        assert_eq!(problem.path.as_deref(), Some("/leaves/1"));
    }
}

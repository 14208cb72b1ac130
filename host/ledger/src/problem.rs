//! Why something failed, as facts: a stable code, a sentence, and where.

use serde::{Deserialize, Serialize};

use crate::Digest;
use crate::limits::{CODE_BYTES_MAX, DETAIL_BYTES_MAX, PATH_BYTES_MAX};

/// Codes that the ledger itself writes; the table in `host/api` explains them.
pub mod codes {
    /// Every attempt was lost or failed in a way that another attempt might not.
    pub const ATTEMPTS_EXHAUSTED: &str = "task.attempts_exhausted";
    /// A worker returned its lease unused; the attempt does not count.
    pub const HANDED_BACK: &str = "task.handed_back";
    /// The lease's deadline passed without a heartbeat.
    pub const LEASE_EXPIRED: &str = "task.lease_expired";
    /// The worker came back without this attempt.
    pub const WORKER_RESTARTED: &str = "task.worker_restarted";
    /// The worker and its leader were lost together; the attempt does not count.
    pub const NODE_RESTARTED: &str = "task.node_restarted";
    /// The task was cancelled by its owner.
    pub const CANCELLED: &str = "task.cancelled";
    /// The task's deadline passed before it was done.
    pub const DEADLINE: &str = "task.deadline";
    /// Another attempt at the task ended first, or the task failed under this one.
    pub const SUPERSEDED: &str = "task.superseded";
    /// No worker that is joined has the memory for a task.
    pub const TOO_LARGE: &str = "task.too_large_for_workers";
    /// The plugin was retired before its inspection ended.
    pub const PLUGIN_RETIRED: &str = "plugin.retired";
    /// The plugin's name and version are taken by other bytes.
    pub const VERSION_IMMUTABLE: &str = "plugin.version_immutable";
    /// The plugin's name is not `[a-z0-9-]{1,63}`.
    pub const PLUGIN_NAME: &str = "plugin.name";
    /// The plugin's version is no semantic version.
    pub const PLUGIN_VERSION: &str = "plugin.version";
    /// Proofs under the circuit's key are worth nothing any more.
    pub const VERIFYING_KEY_REVOKED: &str = "verifying_key.revoked";
    /// The proof that a worker brought does not verify.
    pub const PROOF_INVALID: &str = "proof.invalid";
}

/// Why something failed. Text is cut to the limits of this crate when it is made, never refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable code of the table in `host/api`.
    pub code: String,
    /// One sentence for people, in terms of the item, its value and its limit.
    pub detail: String,
    /// JSON pointer into the input or the parameters.
    pub path: Option<String>,
    /// A longer report, in the depot: which gates, lookups and copies an input breaks. Never a
    /// value.
    pub report: Option<Digest>,
}

// === impl Problem ===

impl Problem {
    /// Makes a problem without a path.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code: cut(code.into(), CODE_BYTES_MAX),
            detail: cut(detail.into(), DETAIL_BYTES_MAX),
            path: None,
            report: None,
        }
    }

    /// Adds the place in the input or the parameters.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(cut(path.into(), PATH_BYTES_MAX));
        self
    }

    /// Adds the digest of a longer report, which is in the depot already.
    #[must_use]
    pub const fn with_report(mut self, report: Digest) -> Self {
        self.report = Some(report);
        self
    }
}

/// Shortens text to a number of bytes, at a character's boundary, and marks that it did.
fn cut(mut text: String, max: usize) -> String {
    const MARK: &str = "…";
    if text.len() > max {
        let mut end = max - MARK.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_at_a_character() {
        let problem = Problem::new("x".repeat(100), "é".repeat(2000)).at("/a".repeat(1000));
        assert_eq!(problem.code.len(), CODE_BYTES_MAX);
        assert!(problem.detail.len() <= DETAIL_BYTES_MAX && problem.detail.ends_with("é…"));
        assert!(
            problem
                .path
                .is_some_and(|path| path.len() == PATH_BYTES_MAX)
        );
    }

    #[test]
    fn short_text_stays_as_it_is() {
        let problem = Problem::new("task.cancelled", "by its owner");
        assert_eq!(problem.code, "task.cancelled");
        assert_eq!(problem.detail, "by its owner");
        assert_eq!(problem.path, None);
    }
}

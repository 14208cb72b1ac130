//! What can go wrong between a client and a node.

use aureole_api::Problem;
use thiserror::Error;

/// Why a call did not give its answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The address given is not one of a node.
    #[error("{url:?} is no address of a node: {reason}")]
    Address {
        /// The text given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No connection could be made, or it broke before an answer came.
    #[error("no answer from {url}")]
    Connect {
        /// The node's address.
        url: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The node was reached and did not answer in time.
    #[error("{url} did not answer within {seconds} s")]
    Timeout {
        /// The node's address.
        url: String,
        /// How long the call waited.
        seconds: u64,
    },
    /// The key holds what no header may.
    #[error("the API key holds characters that no key has")]
    Key,
    /// The authorities given cannot be used.
    #[error("the authorities that a node is to be believed by cannot be used: {reason}")]
    Authorities {
        /// What is wrong with them.
        reason: String,
    },
    /// The machine gave no randomness for an idempotency key.
    #[error("no randomness for an idempotency key")]
    Randomness,
    /// The node refused, with a stable code.
    #[error("{problem}")]
    Problem {
        /// The document.
        problem: Problem,
        /// When the node wants to be asked again.
        retry_after: Option<std::time::Duration>,
    },
    /// The answer is not what an Aureole node says.
    #[error("{url} gave an answer that is not Aureole's (status {status}): {reason}")]
    Foreign {
        /// The node's address.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        reason: String,
    },
    /// The answer is larger than any that a node gives.
    #[error("the answer has more than {max} bytes")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// Downloaded bytes do not have the digest they were announced with.
    #[error("the {what} has the digest {found}, announced was {expected}")]
    Digest {
        /// Which bytes.
        what: &'static str,
        /// The digest that the node announced.
        expected: String,
        /// The digest of what came.
        found: String,
    },
    /// The task ended without a proof.
    #[error("the task {task} ended as {state} without a proof")]
    NoProof {
        /// The task.
        task: String,
        /// How it ended, or where it stands.
        state: aureole_api::rest::TaskState,
        /// Why it failed.
        problem: Option<Problem>,
    },
    /// The wait ended before the task did; the task goes on.
    #[error("the task {task} is not finished after {seconds} s; it goes on")]
    Unfinished {
        /// The task.
        task: String,
        /// How long the call waited.
        seconds: u64,
    },
}

// === impl Error ===

impl Error {
    /// The problem document, where there is one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem { problem, .. } => Some(problem),
            Self::NoProof { problem, .. } => problem.as_ref(),
            _ => None,
        }
    }

    /// The stable code of a refusal, such as `task.unknown`.
    pub fn code(&self) -> Option<&str> {
        self.problem().map(Problem::code)
    }

    /// When the node wants to be asked again.
    pub const fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Self::Problem { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the same call may succeed in a moment: the node is away, or busy.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Timeout { .. } => true,
            Self::Problem { problem, .. } => matches!(problem.status(), 429 | 503),
            _ => false,
        }
    }

    /// Whether it is certain that the call did nothing: nobody was there, or it was refused for
    /// coming too often.
    pub fn never_arrived(&self) -> bool {
        match self {
            Self::Connect { source, .. } => source.is_connect(),
            Self::Problem { problem, .. } => problem.status() == 429,
            _ => false,
        }
    }
}

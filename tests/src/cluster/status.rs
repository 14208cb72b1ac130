//! How the group stands, as one of its members says it.

use std::process::Command;

use anyhow::Context as _;
use serde_json::Value;

use super::{Server, output};
use crate::place::binary;

/// The group as one coordinator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Who leads, if it knows.
    pub leader: Option<u64>,
    /// The election that it knows of.
    pub term: u64,
    /// The last command that it has applied.
    pub applied: Option<u64>,
    /// The digest of its state after that command.
    pub state_digest: Option<String>,
}

/// Asks one coordinator what it knows itself.
pub(super) fn ask(server: &Server) -> anyhow::Result<Status> {
    let mut command = Command::new(binary()?);
    command
        .args([
            "cluster", "status", "--local", "--output", "json", "--config",
        ])
        .arg(server.config());
    let answer: Value = serde_json::from_str(&output(&mut command)?)?;
    let number = |key: &str| answer.get(key).and_then(Value::as_u64);
    Ok(Status {
        leader: number("leader"),
        term: number("term").with_context(|| format!("no term in {answer}"))?,
        applied: number("applied"),
        state_digest: answer
            .get("state_digest")
            .and_then(Value::as_str)
            .map(str::to_owned),
    })
}

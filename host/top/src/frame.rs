//! One look at the cluster: plain data, and the document of `aureole top --json`.

use aureole_client::rest::{Check, Overview};
use serde::Serialize;

use crate::Stats;

/// One look.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Frame {
    /// The address that was asked.
    pub node: String,
    /// Whether that node takes work.
    pub ready: bool,
    /// Its version.
    pub version: String,
    /// What it depends on.
    pub checks: Vec<Check>,
    /// What waits, who works, who leads, by the leader.
    #[serde(flatten)]
    pub overview: Overview,
    /// What ended in the last minutes.
    pub recent: Stats,
}

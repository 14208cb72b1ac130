//! An input whose witness breaks its circuit: what its owner is told, and what is kept of it.

use aureole_prover::Fault;
use serde::Serialize;

use crate::limits::{FAILURES_SHOWN, REPORT_BYTES_MAX};
use crate::problem::Problem;

/// What a check of a witness came to: which gates, lookups and copies do not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsatisfied(pub aureole_prover::Unsatisfied);

// === impl Unsatisfied ===

impl Unsatisfied {
    /// Stable code: `witness.unsatisfied`, `witness.lookup` or `witness.shape`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.0.failures.first().map(|failure| &failure.fault) {
            Some(Fault::Lookup { .. }) => "witness.lookup",
            Some(Fault::Malformed { .. }) => "witness.shape",
            _ => "witness.unsatisfied",
        }
    }

    /// What is told to the task's owner in a sentence. Never a value.
    #[must_use]
    pub fn to_problem(&self) -> Problem {
        let failures = &self.0.failures;
        let shown: Vec<String> = failures
            .iter()
            .take(FAILURES_SHOWN)
            .map(ToString::to_string)
            .collect();
        let hidden = failures.len().saturating_sub(FAILURES_SHOWN) as u64;
        let mut detail = format!(
            "the input does not satisfy the circuit: {}",
            shown.join("; ")
        );
        match hidden.saturating_add(self.0.more) {
            0 => {}
            more => detail.push_str(&format!("; and {more} more")),
        }
        Problem::new(self.code(), detail)
    }

    /// The report that is kept with a failed task, as JSON: names and places, never a value, and
    /// at most [`REPORT_BYTES_MAX`] bytes; failures that do not fit are counted.
    ///
    /// # Errors
    /// If it cannot be written as JSON, which no report made here can.
    pub fn report(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut kept = self.0.clone();
        for failure in &mut kept.failures {
            failure.cells.iter_mut().for_each(|cell| cell.value = None);
        }
        loop {
            let bytes = to_json(&kept)?;
            if bytes.len() <= REPORT_BYTES_MAX || kept.failures.pop().is_none() {
                return Ok(bytes);
            }
            kept.more = kept.more.saturating_add(1);
        }
    }
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(value)
}

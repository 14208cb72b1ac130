//! Quarantine: a worker whose proofs do not verify gets no further leases until an operator says so.
//!
//! It is a fact like the others, so that neither a new leader nor a restart forgets it.

use crate::limits::{DISTRUSTED_MAX, INVALID_PROOFS_MAX};
use crate::{Millis, Outcome, Refusal, State, WorkerId};

// === impl State ===

impl State {
    /// Refuses a worker that is in quarantine.
    pub(super) fn check_trusted(&self, worker: &WorkerId) -> Result<(), Refusal> {
        let distrust = self.distrust(worker);
        match distrust.quarantined_at {
            Some(since) => Err(Refusal::WorkerQuarantined {
                worker: worker.clone(),
                since,
                invalid_proofs: distrust.invalid_proofs,
            }),
            None => Ok(()),
        }
    }

    /// Counts a proof of a worker that did not verify.
    pub(super) fn count_invalid(&mut self, worker: &WorkerId, now: Millis) {
        let distrusted = &mut self.facts_mut().distrust;
        if distrusted.len() >= DISTRUSTED_MAX && !distrusted.contains_key(worker) {
            let least = distrusted
                .iter()
                .min_by_key(|(_, distrust)| distrust.invalid_proofs)
                .map(|(worker, _)| worker.clone());
            if let Some(least) = least {
                distrusted.remove(&least);
            }
        }
        let distrust = distrusted.entry(worker.clone()).or_default();
        distrust.invalid_proofs = distrust.invalid_proofs.saturating_add(1);
        if distrust.invalid_proofs >= INVALID_PROOFS_MAX {
            distrust.quarantined_at.get_or_insert(now);
        }
    }

    pub(super) fn trust_worker(&mut self, worker: &WorkerId) -> Outcome {
        self.facts_mut().distrust.remove(worker);
        Outcome::WorkerTrusted
    }
}

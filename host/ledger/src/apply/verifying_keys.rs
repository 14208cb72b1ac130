//! Keys: publishing under a name, rotating, revoking.

use super::{Step, within};
use crate::limits::{
    NAME_BYTES_MAX, REASON_BYTES_MAX, VERIFYING_KEY_NAMES_MAX, VERIFYING_KEY_VERSIONS_MAX,
};
use crate::plugin::is_name;
use crate::{
    CircuitId, CircuitState, Digest, Millis, Outcome, Problem, Refusal, Revocation, State, TaskId,
    TaskKind, TaskState, TenantId, VerifyingKeyName, VerifyingKeyVersion, codes,
};

// === impl State ===

impl State {
    pub(super) fn publish_verifying_key(
        &mut self,
        name: &str,
        circuit: CircuitId,
        tenant: &TenantId,
        now: Millis,
    ) -> Step {
        if !is_name(name) {
            let max = NAME_BYTES_MAX as u64;
            return Err(Refusal::VerifyingKeyName { max });
        }
        let key = self.published_key(circuit)?;
        self.check_unrevoked(&key)?;
        let known = self.verifying_key_named(name);
        if known.is_some_and(|known| known.owner != *tenant) {
            let name = name.to_owned();
            return Err(Refusal::VerifyingKeyNameTaken { name });
        }
        let newest = known.and_then(|known| known.versions.last()).copied();
        if let Some(newest) = newest.filter(|newest| newest.circuit == circuit) {
            return Ok(Outcome::VerifyingKeyPublished {
                version: newest.version,
                created: false,
            });
        }
        match known {
            Some(known) => {
                let count = known.versions.len() as u64 + 1;
                within("keys under one name", count, VERIFYING_KEY_VERSIONS_MAX)?;
            }
            None => {
                let count = self.verifying_keys().count() as u64 + 1;
                within("names of keys", count, VERIFYING_KEY_NAMES_MAX)?;
            }
        }
        let version = newest.map_or(1, |newest| newest.version.saturating_add(1));
        let names = &mut self.facts_mut().verifying_keys;
        let entry = names
            .entry(name.to_owned())
            .or_insert_with(|| VerifyingKeyName {
                name: name.to_owned(),
                owner: tenant.clone(),
                versions: Vec::new(),
            });
        entry.versions.push(VerifyingKeyVersion {
            version,
            circuit,
            key,
            published_at: now,
        });
        Ok(Outcome::VerifyingKeyPublished {
            version,
            created: true,
        })
    }

    /// Returns the key of a circuit that has one.
    fn published_key(&self, circuit: CircuitId) -> Result<Digest, Refusal> {
        let record = self.circuit(&circuit);
        let record = record.ok_or(Refusal::UnknownCircuit(circuit))?;
        match &record.state {
            CircuitState::Ready(facts) => Ok(facts.key_digest),
            CircuitState::Preparing => Err(Refusal::CircuitPreparing(circuit)),
            CircuitState::Rejected(problem) => Err(Refusal::CircuitRejected {
                circuit,
                problem: problem.clone(),
            }),
        }
    }

    /// Refuses a key that is revoked.
    pub(super) fn check_unrevoked(&self, key: &Digest) -> Result<(), Refusal> {
        match self.revocation(key) {
            Some(revocation) => Err(Refusal::VerifyingKeyRevoked {
                key: *key,
                reason: revocation.reason.clone(),
                at: revocation.at,
            }),
            None => Ok(()),
        }
    }

    pub(super) fn revoke_verifying_key(&mut self, key: &Digest, reason: &str, now: Millis) -> Step {
        if self.revocation(key).is_some() {
            return Ok(Outcome::VerifyingKeyRevoked {
                stop: Vec::new(),
                failed: 0,
            });
        }
        let has_key = |state: &CircuitState| matches!(state, CircuitState::Ready(facts) if facts.key_digest == *key);
        if !self.circuits().any(|circuit| has_key(&circuit.state)) {
            return Err(Refusal::UnknownVerifyingKey(*key));
        }
        let (bytes, max) = (reason.len() as u64, REASON_BYTES_MAX as u64);
        within("bytes of a reason", bytes, max)?;
        let revocation = Revocation {
            key: *key,
            reason: reason.to_owned(),
            at: now,
        };
        self.facts_mut().revocations.insert(*key, revocation);
        // Looks at every task that is known: nobody revokes keys by the second.
        let under = |kind: &TaskKind| match kind {
            TaskKind::Prove { circuit, .. } => self
                .circuit(circuit)
                .is_some_and(|record| has_key(&record.state)),
            TaskKind::InspectPlugin { .. } | TaskKind::PrepareCircuit { .. } => false,
        };
        let unfinished = self.tasks().filter(|task| !task.is_finished());
        let hit: Vec<TaskId> = unfinished
            .filter(|task| under(&task.kind))
            .map(|task| task.id)
            .collect();
        let running = hit.iter().filter_map(|id| self.task(id));
        let stop = running.flat_map(|task| task.running()).collect();
        self.fail_by_revocation(&hit, key, now);
        Ok(Outcome::VerifyingKeyRevoked {
            stop,
            failed: hit.len() as u64,
        })
    }

    /// Fails the tasks that wait for a circuit whose key turns out to be revoked.
    pub(super) fn refuse_waiting(&mut self, circuit: &CircuitId, now: Millis) {
        let key = self
            .ready_circuit(circuit)
            .map(|(_, facts)| facts.key_digest);
        if let Some(key) = key.filter(|key| self.revocation(key).is_some()) {
            let waiting = self.waiting_for(circuit);
            self.fail_by_revocation(&waiting, &key, now);
        }
    }

    fn fail_by_revocation(&mut self, tasks: &[TaskId], key: &Digest, now: Millis) {
        let reason = self
            .revocation(key)
            .map_or_else(String::new, |revocation| revocation.reason.clone());
        let detail = format!("the key {key} is revoked: {reason}");
        let problem = Problem::new(codes::VERIFYING_KEY_REVOKED, detail);
        for task in tasks {
            self.finish_task(task, TaskState::Failed(problem.clone()), now);
        }
    }
}

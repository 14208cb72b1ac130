//! Verifying keys: publish, rotate, revoke.

use aureole_api::{Problem, codes, rest};
use aureole_gateway::Caller;
use aureole_ledger::{CircuitId, Command, Digest, Outcome, Role, State, VerifyingKeyName};

use super::Desk;

// === impl Desk ===

impl Desk {
    /// Every name of keys that a caller may see, and every revocation.
    pub(crate) async fn list_verifying_keys(
        &self,
        caller: &Caller,
    ) -> Result<rest::VerifyingKeyList, Problem> {
        Ok(self.coordinator.read(|state| rest::VerifyingKeyList {
            keys: state
                .verifying_keys()
                .filter(|name| caller.sees(&name.owner))
                .map(|name| key_view(state, name))
                .collect(),
            revocations: state.revocations().map(revocation_view).collect(),
        }))
    }

    /// The keys under a name.
    pub(crate) async fn show_verifying_key(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<rest::VerifyingKey, Problem> {
        let found = self.coordinator.read(|state| {
            let name = state.verifying_key_named(name)?;
            let seen = caller.sees(&name.owner);
            seen.then(|| key_view(state, name))
        });
        found.ok_or_else(|| {
            let detail = format!("no key is published under `{}`", name.escape_debug());
            Problem::new(codes::verifying_key::UNKNOWN, detail)
        })
    }

    /// Makes a circuit's key the current one under a name.
    pub(crate) async fn publish_verifying_key(
        &self,
        caller: &Caller,
        name: &str,
        circuit: CircuitId,
    ) -> Result<rest::VerifyingKey, Problem> {
        self.ready_facts(caller, &circuit)?;
        let owner = self.coordinator.read(|state| {
            state
                .verifying_key_named(name)
                .map(|known| known.owner.clone())
        });
        // An administrator rotates for its tenants.
        let tenant = match owner {
            Some(owner) if caller.role == Role::Admin => owner,
            _ => caller.tenant.clone(),
        };
        let command = Command::PublishVerifyingKey {
            name: name.to_owned(),
            circuit,
            tenant,
            now: self.coordinator.now(),
        };
        match self.propose(command).await? {
            Outcome::VerifyingKeyPublished { .. } => self.show_verifying_key(caller, name).await,
            _ => Err(other_answer()),
        }
    }

    /// A circuit's key.
    pub(crate) async fn show_circuit_key(
        &self,
        caller: &Caller,
        circuit: CircuitId,
    ) -> Result<rest::CircuitKey, Problem> {
        let facts = self.ready_facts(caller, &circuit)?;
        let (names, revoked) = self.coordinator.read(|state| {
            let seen = state
                .verifying_keys()
                .filter(|name| caller.sees(&name.owner));
            let names = seen.flat_map(|name| {
                let of = name.versions.iter().filter(|one| one.circuit == circuit);
                of.map(|one| format!("{}@{}", name.name, one.version))
            });
            (names.collect(), revoked(state, &facts.key_digest))
        });
        Ok(rest::CircuitKey {
            circuit: circuit.to_string(),
            key_digest: facts.key_digest.to_string(),
            circuit_digest: facts.circuit_digest.to_string(),
            url: format!("/api/v1/circuits/{circuit}/ir"),
            proof_bytes: facts.proof_bytes.into(),
            names,
            revoked,
        })
    }

    /// Revokes a circuit's key for good: every circuit that has it is refused from now on.
    pub(crate) async fn revoke_verifying_key(
        &self,
        caller: &Caller,
        circuit: CircuitId,
        reason: String,
    ) -> Result<rest::CircuitKey, Problem> {
        let key = self.ready_facts(caller, &circuit)?.key_digest;
        let (bytes, max) = (reason.len(), aureole_ledger::limits::REASON_BYTES_MAX);
        if reason.trim().is_empty() || bytes > max {
            let detail = format!("the reason has {bytes} bytes; it has 1 to {max}");
            return Err(Problem::new(codes::verifying_key::REASON, detail).at("/reason"));
        }
        let now = self.coordinator.now();
        let command = Command::RevokeVerifyingKey { key, reason, now };
        match self.propose(command).await? {
            Outcome::VerifyingKeyRevoked { failed, .. } => {
                tracing::warn!(%key, %circuit, failed, by = %caller.credential, "a key was revoked");
                self.show_circuit_key(caller, circuit).await
            }
            _ => Err(other_answer()),
        }
    }

    /// That a circuit's key is revoked, if it is.
    pub(super) fn revocation_of(&self, key: &Digest) -> Option<rest::Revocation> {
        self.coordinator.read(|state| revoked(state, key))
    }
}

fn revoked(state: &State, key: &Digest) -> Option<rest::Revocation> {
    state.revocation(key).map(revocation_view)
}

fn revocation_view(revocation: &aureole_ledger::Revocation) -> rest::Revocation {
    rest::Revocation {
        key_digest: revocation.key.to_string(),
        reason: revocation.reason.clone(),
        at: rest::Timestamp::from_millis(revocation.at),
    }
}

fn key_view(state: &State, name: &VerifyingKeyName) -> rest::VerifyingKey {
    let newest = name.versions.last().map(|version| version.version);
    let versions = name.versions.iter().rev().map(|version| {
        let revoked = revoked(state, &version.key);
        let standing = match &revoked {
            Some(_) => rest::VerifyingKeyState::Revoked,
            None if newest == Some(version.version) => rest::VerifyingKeyState::Current,
            None => rest::VerifyingKeyState::Superseded,
        };
        rest::VerifyingKeyVersion {
            version: version.version,
            state: standing,
            circuit: version.circuit.to_string(),
            key_digest: version.key.to_string(),
            published_at: rest::Timestamp::from_millis(version.published_at),
            revoked,
        }
    });
    rest::VerifyingKey {
        name: name.name.clone(),
        versions: versions.collect(),
    }
}

fn other_answer() -> Problem {
    Problem::new(codes::node::INTERNAL, "the ledger answered another command")
}

//! The log of accepted proofs: each gets a leaf, in the order in which they are applied.

use aureole_receipts::limits::{BUILD_BYTES_MAX, LEAVES_MAX};
use aureole_receipts::{Leaf, commit};

use crate::limits::BUILDS_MAX;
use crate::{Acceptance, Completion, Digest, LogLeaf, Millis, Refusal, State, TaskId, TaskKind};

// === impl State ===

impl State {
    /// Appends the leaf of a proof that is being accepted; other results have none.
    pub(super) fn append_leaf(
        &mut self,
        id: TaskId,
        completion: &Completion,
        acceptance: &Acceptance,
        now: Millis,
    ) -> Result<Option<Box<LogLeaf>>, Refusal> {
        let Completion::Proved {
            proof,
            public_inputs,
        } = completion
        else {
            return Ok(None);
        };
        let task = self.task(&id).ok_or(Refusal::UnknownTask(id))?;
        let TaskKind::Prove { circuit, .. } = task.kind else {
            return Ok(None);
        };
        // Leased only when it was ready, which nothing undoes.
        let ready = self.ready_circuit(&circuit);
        let (_, facts) = ready.ok_or(Refusal::UnknownCircuit(circuit))?;
        let build = Digest::of(acceptance.verifier.as_bytes());
        let leaf = Leaf {
            task: aureole_receipts::TaskId::from_bytes(*id.as_bytes()),
            circuit: of_log(&facts.circuit_digest),
            key: of_log(&facts.key_digest),
            public_inputs: commit(&acceptance.salt, &of_log(public_inputs)),
            proof: of_log(proof),
            verifier: of_log(&build),
            submitted_ms: task.submitted_at,
            finished_ms: now,
        };
        let full = |_| Refusal::Limit {
            item: "leaves of the log".to_owned(),
            value: LEAVES_MAX + 1,
            max: LEAVES_MAX,
        };
        let index = self.facts_mut().tree.append(leaf.hash()).map_err(full)?;
        self.note_build(build, &acceptance.verifier);
        Ok(Some(Box::new(LogLeaf { index, leaf })))
    }

    fn note_build(&mut self, digest: Digest, name: &str) {
        let builds = &mut self.facts_mut().builds;
        if name.len() <= BUILD_BYTES_MAX && builds.len() < BUILDS_MAX {
            builds.entry(digest).or_insert_with(|| name.to_owned());
        }
    }
}

fn of_log(digest: &Digest) -> aureole_receipts::Digest {
    aureole_receipts::Digest::from_bytes(*digest.as_bytes())
}

//! The end of an attempt with a result: nothing is accepted before it was looked at.
//!
//! Every blob that a result names must be in the depot, and a proof must have the circuit's exact
//! length and verify under its key. A result that does not hold costs the task one attempt.

#![allow(
    clippy::result_large_err,
    reason = "a refusal is told at once, a few times a second at most"
)]

use std::sync::Arc;
use std::time::Instant;

use aureole_api::internal::v1;
use aureole_ledger::{
    Acceptance, AttemptRef, CircuitFacts, Command, Completion, Digest, Outcome, Problem, Refusal,
    Salt, Stage, State, TaskId, TaskKind, Timings, WorkerId, codes,
};
use aureole_store::DepotError;
use aureole_telemetry::{adopt, is_on};
use tracing::{Instrument as _, Span};

use crate::coordinator::Inner;
use crate::limits::PUBLIC_INPUT_BYTES_MAX;
use crate::proposer::ProposeError;
use crate::verify::Verdict;
use crate::wire;

/// A blob that a result names is missing or damaged.
const RESULT_MISSING: &str = "task.result_missing";

/// Worker and verifier made different keys of one circuit.
const KEY_MISMATCH: &str = "circuit.key_mismatch";

/// The verifier failed, which says nothing of the proof.
const VERIFIER_FAILED: &str = "node.verifier_failed";

/// A result's way in, as a part of the attempt's trace, if that is told.
pub(super) fn span(parent: Option<&str>) -> Span {
    if parent.is_none() || !is_on() {
        return Span::none();
    }
    let span = tracing::info_span!(
        "complete",
        otel.kind = "server",
        trace_id = tracing::field::Empty
    );
    adopt(&span, parent);
    span
}

/// The verification's part of a result's way in.
fn verify_span() -> Span {
    match Span::current().is_none() {
        true => Span::none(),
        false => tracing::info_span!("verify"),
    }
}

/// What a worker says it did.
pub(super) struct Reported {
    pub(super) worker: WorkerId,
    pub(super) attempt: AttemptRef,
    pub(super) timings: Timings,
    pub(super) completion: Completion,
    /// The most memory that its processes had at once, if the worker knows.
    pub(super) peak_memory_bytes: Option<u64>,
}

// === impl Inner ===

impl Inner {
    pub(super) async fn complete(
        self: &Arc<Self>,
        reported: Reported,
    ) -> Result<v1::CompleteReply, ProposeError> {
        let looked = self.facts.read(|state| look(state, &reported));
        let facts = match looked {
            Ok(Looked::Fresh(facts)) => facts,
            Ok(Looked::Repeated) => return Ok(v1::CompleteReply { refused: None }),
            Err(refusal @ Refusal::CompletionMismatch(_)) => {
                let problem = Problem::new(refusal.code(), refusal.to_string());
                return self.refuse(reported, problem).await;
            }
            Ok(Looked::Copied(other)) => {
                let problem = invalid(&format!("it is the proof of task {other}"));
                return self.refuse(reported, problem).await;
            }
            // Nothing is proposed unverified: the lease may be the worker's a moment later.
            Err(refusal) => return Ok(wire::refused(&refusal)),
        };
        let checked = match (&reported.completion, facts) {
            (
                Completion::Proved {
                    proof,
                    public_inputs,
                },
                Some(facts),
            ) => {
                self.report_stage(reported.attempt, Stage::Verify);
                let started = Instant::now();
                let checked = self.check_proof(&facts, proof, public_inputs);
                let checked = checked.instrument(verify_span()).await;
                checked.map(|()| Some(micros_since(started)))
            }
            (Completion::Proved { .. }, None) => Err(invalid("its circuit is not known")),
            (completion, _) => self.check_prepared(completion).await.map(|()| None),
        };
        let checked =
            checked.and_then(|micros| Ok((micros, self.acceptance(&reported.completion)?)));
        match checked {
            Ok((verify_micros, acceptance)) => {
                let mut reported = reported;
                // The coordinator's own measurement, whatever the worker says.
                reported.timings.remove(&Stage::Verify);
                reported
                    .timings
                    .extend(verify_micros.map(|micros| (Stage::Verify, micros)));
                self.propose_completion(reported, acceptance).await
            }
            Err(problem) => self.refuse(reported, problem).await,
        }
    }

    async fn propose_completion(
        &self,
        reported: Reported,
        acceptance: Acceptance,
    ) -> Result<v1::CompleteReply, ProposeError> {
        let Reported {
            worker,
            attempt: AttemptRef { task, attempt },
            timings,
            completion,
            peak_memory_bytes,
        } = reported;
        let now = self.clock.now();
        let command = Command::CompleteTask {
            task,
            attempt,
            worker,
            completion,
            timings,
            now,
            peak_memory_bytes,
            acceptance,
        };
        match self.propose(command).await? {
            Outcome::Refused(refusal) => Ok(wire::refused(&refusal)),
            _ => Ok(v1::CompleteReply { refused: None }),
        }
    }

    /// Ends the attempt instead, and tells the worker.
    async fn refuse(
        &self,
        reported: Reported,
        problem: Problem,
    ) -> Result<v1::CompleteReply, ProposeError> {
        let Reported {
            worker,
            attempt: AttemptRef { task, attempt },
            ..
        } = reported;
        tracing::warn!(%task, attempt, %worker, code = problem.code, detail = problem.detail,
            "a result was not accepted");
        let liar = (problem.code == codes::PROOF_INVALID).then(|| worker.clone());
        let reply = wire::reply_with(&problem);
        let now = self.clock.now();
        let retryable = true;
        let command = Command::FailAttempt {
            task,
            attempt,
            worker,
            problem,
            retryable,
            now,
        };
        // A refusal says that the attempt ended in the meantime.
        let _ = self.propose(command).await?;
        if let Some(worker) = liar {
            let distrust = self.facts.read(|state| state.distrust(&worker));
            if distrust.quarantined_at.is_some() {
                tracing::error!(%worker, invalid_proofs = distrust.invalid_proofs,
                    "a worker is in quarantine: its proofs do not verify");
            }
        }
        Ok(reply)
    }

    /// What the log is to say of a proof beside.
    fn acceptance(&self, completion: &Completion) -> Result<Acceptance, Problem> {
        let Completion::Proved { .. } = completion else {
            return Ok(Acceptance::none());
        };
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| {
            Problem::new(
                VERIFIER_FAILED,
                format!("no randomness for the salt: {error}"),
            )
        })?;
        Ok(Acceptance {
            verifier: self.verifier.build().to_owned(),
            salt: Salt::from_bytes(salt),
        })
    }

    /// Reads the proof and verifies it under the circuit's key.
    async fn check_proof(
        &self,
        facts: &CircuitFacts,
        proof: &Digest,
        public_inputs: &Digest,
    ) -> Result<(), Problem> {
        let expected = u64::from(facts.proof_bytes);
        let proof = match self.depot.get(proof, expected).await {
            Err(DepotError::TooLarge { .. }) => {
                return Err(invalid(&format!(
                    "it has more than the circuit's {expected} bytes"
                )));
            }
            read => read.map_err(|error| missing("proof", &error))?,
        };
        if proof.len() as u64 != expected {
            let found = proof.len();
            return Err(invalid(&format!(
                "it has {found} bytes, the circuit's have {expected}"
            )));
        }
        let read = self.depot.get(public_inputs, PUBLIC_INPUT_BYTES_MAX).await;
        let public_inputs = read.map_err(|error| missing("public inputs", &error))?;
        let verdict = self
            .verifier
            .verify(facts.circuit_digest, public_inputs.to_vec(), proof.to_vec())
            .await
            .map_err(|error| Problem::new(VERIFIER_FAILED, error.to_string()))?;
        match verdict {
            Verdict::Valid => Ok(()),
            Verdict::Invalid { reason } => Err(invalid(&reason)),
        }
    }

    /// Checks an inspection or a preparation: its blobs are here, and its key is the verifier's.
    async fn check_prepared(&self, completion: &Completion) -> Result<(), Problem> {
        self.check_blobs(completion).await?;
        match completion {
            Completion::PluginInspected {
                default_circuit: Some(facts),
                ..
            }
            | Completion::CircuitPrepared(facts) => self.check_key(facts).await,
            _ => Ok(()),
        }
    }

    /// Has the verifier make the circuit's key too. It is warm then for the first proof.
    async fn check_key(&self, facts: &CircuitFacts) -> Result<(), Problem> {
        let key = self
            .verifier
            .key(facts.circuit_digest)
            .await
            .map_err(|error| Problem::new(VERIFIER_FAILED, error.to_string()))?;
        if (key.digest, key.proof_bytes) == (facts.key_digest, facts.proof_bytes) {
            return Ok(());
        }
        let detail = format!(
            "the worker made key {} with proofs of {} bytes, the verifier {} with {}",
            facts.key_digest, facts.proof_bytes, key.digest, key.proof_bytes
        );
        Err(Problem::new(KEY_MISMATCH, detail))
    }

    /// Checks that the blobs of an inspection or preparation are in the depot.
    async fn check_blobs(&self, completion: &Completion) -> Result<(), Problem> {
        for (name, digest) in blobs(completion) {
            match self.depot.contains(&digest).await {
                Ok(true) => {}
                Ok(false) => return Err(missing(name, &DepotError::NotFound { digest })),
                Err(error) => return Err(missing(name, &error)),
            }
        }
        Ok(())
    }
}

/// What the ledger says of a result before it was checked.
enum Looked {
    /// It would be taken; a proof must be one of this circuit.
    Fresh(Option<CircuitFacts>),
    /// It was taken before.
    Repeated,
    /// The proof was taken before, for this other task.
    Copied(TaskId),
}

fn look(state: &State, reported: &Reported) -> Result<Looked, Refusal> {
    let Reported {
        worker,
        attempt,
        completion,
        ..
    } = reported;
    if state.check_completion(*attempt, worker, completion)? {
        return Ok(Looked::Repeated);
    }
    if let Completion::Proved { proof, .. } = completion
        && let Some(other) = state.task_of_proof(proof)
    {
        return Ok(Looked::Copied(other));
    }
    let kind = state.task(&attempt.task).map(|task| task.kind);
    let Some(TaskKind::Prove { circuit, .. }) = kind else {
        return Ok(Looked::Fresh(None));
    };
    match state.ready_circuit(&circuit) {
        Some((_, facts)) => Ok(Looked::Fresh(Some(*facts))),
        None => Err(Refusal::UnknownCircuit(circuit)),
    }
}

/// Returns the blobs that a result without a proof names.
fn blobs(completion: &Completion) -> Vec<(&'static str, Digest)> {
    let of_circuit =
        |facts: &CircuitFacts| [("circuit", facts.circuit_digest), ("report", facts.report)];
    match completion {
        Completion::PluginInspected {
            description,
            default_params,
            default_circuit,
            ..
        } => {
            let mut blobs = vec![("description", *description)];
            blobs.extend(default_params.map(|digest| ("default parameters", digest)));
            blobs.extend(default_circuit.iter().flat_map(of_circuit));
            blobs
        }
        Completion::CircuitPrepared(facts) => of_circuit(facts).to_vec(),
        Completion::Proved { .. } => Vec::new(),
    }
}

fn invalid(reason: &str) -> Problem {
    Problem::new(
        codes::PROOF_INVALID,
        format!("the proof does not verify: {reason}"),
    )
}

fn missing(name: &str, error: &DepotError) -> Problem {
    Problem::new(RESULT_MISSING, format!("the {name} of the result: {error}"))
}

fn micros_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

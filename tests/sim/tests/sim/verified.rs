//! No proof is taken that does not verify: none of a task that is done, none in the log of receipts,
//! and who brings three gets no more leases.
//!
//! What verifies is said by the world here; that the real verifier stands before the ledger is shown in
//! `host/coordinator` and by `tests/tests/hostile/liars.rs`.

use std::collections::BTreeSet;

use aureole_ledger::limits::INVALID_PROOFS_MAX;
use aureole_ledger::{AttemptRef, Command, Completion, Outcome, TaskId};
use aureole_sim::{Invariant, Profile, Step, World, honest_proof, runs};

#[derive(Default)]
struct Verified {
    accepted: BTreeSet<TaskId>,
}

impl Invariant for Verified {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        if let (
            Command::CompleteTask {
                task,
                attempt,
                completion: Completion::Proved { proof, .. },
                ..
            },
            Outcome::Completed { .. },
        ) = (step.command, step.outcome)
        {
            let reported = AttemptRef {
                task: *task,
                attempt: *attempt,
            };
            if *proof != honest_proof(reported) {
                return Err(format!("{reported:?} was taken with a false proof"));
            }
            self.accepted.insert(*task);
        }
        let leaves = step.state.log().size();
        if leaves != self.accepted.len() as u64 {
            return Err(format!(
                "{leaves} receipts of {} proofs",
                self.accepted.len()
            ));
        }
        if let (Command::LeaseTask { worker, .. }, Outcome::Leased) = (step.command, step.outcome) {
            let invalid = step.state.distrust(worker).invalid_proofs;
            if invalid >= INVALID_PROOFS_MAX {
                return Err(format!("{worker} got a lease after {invalid} false proofs"));
            }
        }
        Ok(())
    }

    fn end(&mut self, world: &World) -> Result<(), String> {
        for task in world.node.state.tasks() {
            let Some(Completion::Proved { proof, .. }) = task.completion() else {
                continue;
            };
            let mut attempts = task.attempts.iter().map(|known| AttemptRef {
                task: task.id,
                attempt: known.attempt,
            });
            if !attempts.any(|attempt| honest_proof(attempt) == *proof) {
                return Err(format!(
                    "{} is done by a proof of none of its attempts",
                    task.id
                ));
            }
        }
        Ok(())
    }
}

#[test]
fn no_proof_is_taken_that_does_not_verify() -> Result<(), String> {
    let lying = Profile {
        lies: 400,
        ..Profile::STORM
    };
    runs::<Verified>("no_proof_is_taken_that_does_not_verify", lying, 300).map(drop)
}

//! What the coordinator of the simulated world answers to messages.

use aureole_ledger::{
    AttemptRef, Command, Completion, Expiry, Millis, Outcome, Problem, WorkerId, codes,
};

use super::{Event, Invariant, LEASE_MS, ToNode, ToWorker, World, honest_proof};

impl World {
    pub(super) fn at_node(
        &mut self,
        message: ToNode,
        invariants: &mut [&mut dyn Invariant],
    ) -> Result<(), String> {
        match message {
            ToNode::Propose(command) => {
                let now = self.node.clock(self.now);
                let command = self.verified(at(*command, now));
                let outcome = self.apply(&command, invariants)?;
                // The answer may be lost: the client then asks again, or never learns it.
                if !self.in_storm() || !self.random.chance(self.profile.loss) {
                    self.answered(&command, &outcome);
                }
            }
            ToNode::Join(number, running) => self.join(number, &running, invariants)?,
            ToNode::Beat(number, running) => {
                let Some(view) = self.views.get(number).cloned() else {
                    return Ok(());
                };
                if !self.node.joined.contains_key(&view.id) {
                    self.send(&Event::ToWorker(number, ToWorker::Unknown));
                    return Ok(());
                }
                self.renew(number, view.id, running, invariants)?;
            }
        }
        Ok(())
    }

    /// What the coordinator proposes of a message: of a proof that does not verify, from one who has
    /// the lease, that its attempt has failed.
    fn verified(&mut self, command: Command) -> Command {
        let Command::CompleteTask {
            task,
            attempt,
            worker,
            completion,
            now,
            ..
        } = &command
        else {
            return command;
        };
        let reported = AttemptRef {
            task: *task,
            attempt: *attempt,
        };
        let state = &self.node.state;
        let fresh = state.check_completion(reported, worker, completion);
        let Completion::Proved { proof, .. } = completion else {
            return command;
        };
        if *proof == honest_proof(reported) || !matches!(fresh, Ok(false)) {
            return command;
        }
        self.seen.lies += 1;
        Command::FailAttempt {
            task: *task,
            attempt: *attempt,
            worker: worker.clone(),
            problem: Problem::new(codes::PROOF_INVALID, "the proof does not verify"),
            retryable: true,
            now: *now,
        }
    }

    fn renew(
        &mut self,
        number: usize,
        worker: WorkerId,
        leases: Vec<AttemptRef>,
        invariants: &mut [&mut dyn Invariant],
    ) -> Result<(), String> {
        let now = self.node.clock(self.now);
        let renew = Command::RenewLeases {
            worker,
            leases,
            expires_at: now + LEASE_MS,
            now,
        };
        if let Outcome::Renewed { lost } = self.apply(&renew, invariants)? {
            for attempt in lost {
                self.send(&Event::ToWorker(number, ToWorker::Stop(attempt)));
            }
        }
        Ok(())
    }

    /// Takes a worker in: leases that it does not know of are lost at once.
    fn join(
        &mut self,
        number: usize,
        running: &[AttemptRef],
        invariants: &mut [&mut dyn Invariant],
    ) -> Result<(), String> {
        let Some(view) = self.views.get(number).cloned() else {
            return Ok(());
        };
        let held: Vec<AttemptRef> = self.node.state.leases_of(&view.id).collect();
        self.node.joined.insert(view.id.clone(), view);
        let now = self.node.clock(self.now);
        for AttemptRef { task, attempt } in held.into_iter().filter(|a| !running.contains(a)) {
            let reason = Expiry::WorkerRestarted;
            let expire = Command::ExpireLease {
                task,
                attempt,
                reason,
                now,
            };
            let _ = self.apply(&expire, invariants)?;
        }
        Ok(())
    }

    fn answered(&mut self, command: &Command, outcome: &Outcome) {
        match (command, outcome) {
            (Command::SubmitTask { task, .. }, Outcome::TaskSubmitted { .. }) => {
                self.acknowledged.insert(*task);
            }
            (Command::CancelTask { task, .. }, Outcome::Cancelled { .. }) => {
                self.cancelled.insert(*task);
            }
            (
                Command::CompleteTask {
                    task,
                    attempt,
                    worker,
                    ..
                }
                | Command::FailAttempt {
                    task,
                    attempt,
                    worker,
                    ..
                },
                _,
            ) => {
                let attempt = AttemptRef {
                    task: *task,
                    attempt: *attempt,
                };
                if let Some(number) = self.views.iter().position(|view| view.id == *worker) {
                    self.send(&Event::ToWorker(number, ToWorker::Stop(attempt)));
                }
            }
            _ => {}
        }
    }
}

/// Stamps a command with the coordinator's clock.
fn at(mut command: Command, clock: Millis) -> Command {
    match &mut command {
        Command::SubmitTask { now, .. }
        | Command::CompleteTask { now, .. }
        | Command::FailAttempt { now, .. }
        | Command::CancelTask { now, .. } => *now = clock,
        _ => {}
    }
    command
}

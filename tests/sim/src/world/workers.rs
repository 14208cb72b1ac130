//! What the workers of the simulated world do: they compute, report, fall silent and come back.

use aureole_ledger::{
    Acceptance, AttemptRef, Command, Completion, Digest, Millis, Problem, Stage, TaskId, codes,
};

use super::{Event, LEASE_MS, ToNode, ToWorker, World};
use crate::random::Random;

impl World {
    pub(super) fn at_worker(&mut self, number: usize, message: &ToWorker) {
        let now = self.now;
        let Some(worker) = self.workers.get_mut(number).filter(|worker| worker.up) else {
            return;
        };
        match message {
            ToWorker::Lease(attempt, threads) => {
                if !worker.running.insert(*attempt) {
                    return;
                }
                let life = worker.life;
                let threads = *threads;
                let took = self.duration(attempt.task, threads);
                self.after(took, Event::Computed(number, life, *attempt));
            }
            ToWorker::Stop(attempt) => {
                worker.running.remove(attempt);
            }
            ToWorker::Unknown => {
                let running = worker.running.iter().copied().collect();
                self.send(&Event::ToNode(ToNode::Join(number, running)));
            }
        }
        debug_assert!(self.now == now, "time passes between events only");
    }

    /// How long an attempt takes on its worker, which nobody knows beforehand.
    fn duration(&mut self, task: TaskId, threads: u32) -> Millis {
        let kind = self.node.state.task(&task).map(|task| task.kind);
        let expected = kind.map_or(1_000, |kind| {
            self.node.state.estimate(&kind, threads, true).duration_ms
        });
        let base = expected.clamp(100, 5_000) / 2 + self.random.below(expected.clamp(100, 5_000));
        if self.random.chance(self.profile.stragglers) {
            base * 10
        } else {
            base
        }
    }

    /// Reports an attempt's end, again and again until the coordinator has it.
    pub(super) fn computed(&mut self, number: usize, life: u64, attempt: AttemptRef) {
        let Some(worker) = self.workers.get(number) else {
            return;
        };
        if !worker.up || worker.life != life || !worker.running.contains(&attempt) {
            return;
        }
        let id = worker.view.id.clone();
        let AttemptRef { task, attempt: n } = attempt;
        let now = self.now;
        // The same attempt always ends the same way: a proof of its own, or a failure.
        let mut fate = Random::new(u64::from(n) ^ u64::from_be_bytes(first_eight(task)));
        let command = if fate.chance(self.profile.failures) {
            Command::FailAttempt {
                task,
                attempt: n,
                worker: id,
                problem: Problem::new(
                    if fate.chance(300) {
                        codes::HANDED_BACK
                    } else {
                        "task.prover_crashed"
                    },
                    "as fate would have it",
                ),
                retryable: !fate.chance(200),
                now,
            }
        } else {
            let honest = honest_proof(attempt);
            let proof = match self.lies(number, attempt) {
                true => Digest::of(honest.as_bytes()),
                false => honest,
            };
            Command::CompleteTask {
                task,
                attempt: n,
                worker: id,
                completion: Completion::Proved {
                    proof,
                    public_inputs: Digest::of(b"public"),
                },
                timings: [(Stage::Prove, fate.between(100_000, 4_000_000))].into(),
                now,
                peak_memory_bytes: fate.chance(500).then(|| fate.between(1 << 28, 1 << 33)),
                acceptance: Acceptance::none(),
            }
        };
        self.send(&Event::ToNode(ToNode::Propose(Box::new(command))));
        self.after(1_500, Event::Computed(number, life, attempt));
    }

    /// Whether a worker brings a proof that does not verify. The first never does: it is the one that
    /// is large enough for every circuit.
    fn lies(&self, number: usize, attempt: AttemptRef) -> bool {
        let last = number + 1 == self.workers.len();
        let drawn = u64::from_be_bytes(first_eight(attempt.task)).rotate_left(32);
        let mut fate = Random::new(drawn ^ u64::from(attempt.attempt));
        last && fate.chance(self.profile.lies)
    }

    pub(super) fn heartbeat(&mut self, number: usize) {
        self.after(LEASE_MS / 3, Event::Heartbeat(number));
        if let Some(worker) = self.workers.get(number).filter(|worker| worker.up) {
            let running = worker.running.iter().copied().collect();
            self.send(&Event::ToNode(ToNode::Beat(number, running)));
        }
    }

    pub(super) fn crash_worker(&mut self, number: usize) {
        let down = self.random.between(100, 3 * LEASE_MS);
        if let Some(worker) = self.workers.get_mut(number).filter(|worker| worker.up) {
            worker.up = false;
            worker.life += 1;
            worker.running.clear();
            self.seen.worker_crashes += 1;
            let gone = worker.view.id.clone();
            // Its stream ends, which the coordinator sees.
            self.node.joined.remove(&gone);
            self.after(down, Event::WorkerRestart(number));
        }
    }
}

/// The one proof of an attempt that verifies.
#[must_use]
pub fn honest_proof(attempt: AttemptRef) -> Digest {
    let AttemptRef { task, attempt } = attempt;
    Digest::of(&[&task.as_bytes()[..], &attempt.to_be_bytes()].concat())
}

fn first_eight(task: TaskId) -> [u8; 8] {
    task.as_bytes()
        .first_chunk::<8>()
        .copied()
        .unwrap_or_default()
}

//! What must be true of a cluster after any fault: the same questions after each scenario.
//!
//! Acknowledged tasks lost 0; accepted completions of each task exactly 1; invalid proofs served 0;
//! the coordinators' states equal; what clients saw linearizable; every receipt verifies offline, every
//! checkpoint that was signed is of one history, and every coordinator's tiles make it up again.

use std::fmt;
use std::sync::OnceLock;

use anyhow::{Context as _, ensure};
use aureole_client::rest::{Task, TaskState};
use aureole_client::{Client, codes};
use aureole_preimage::Preimage;
use aureole_receipts::{Checkpoint, Log, Receipt, SignerKey, TrustedKeys, audit};
use aureole_store::{Digest, TileFolder};
use serde_json::json;

use super::traffic::{Acknowledged, Recorded, name};
use super::{Cluster, Status};
use crate::inputs::preimage_input;
use crate::linear::{Answer, Call, History};
use crate::native::Native;
use crate::wait::{PATIENCE, eventually};

/// What was found. [`Verdict::holds`] says whether it is as it must be.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Submissions that were acknowledged.
    pub acknowledged: usize,
    /// Proofs downloaded and verified here by stock halo2 on the author's circuit.
    pub verified: usize,
    /// Tasks that were cancelled.
    pub cancelled: usize,
    /// Receipts that verified here, with nothing but the log's key.
    pub receipts: usize,
    /// Signed checkpoints found on the coordinators' disks, all of one history.
    pub checkpoints: usize,
    /// Attempts that were cut off or given up, beyond the one that counts.
    pub retried: usize,
    /// Calls of clients, and those among them that got no answer.
    pub calls: (usize, usize),
    /// Everything that is wrong, each in a sentence.
    pub wrong: Vec<String>,
}

// === impl Verdict ===

impl Verdict {
    /// Fails when anything is wrong.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn holds(&self) -> anyhow::Result<()> {
        ensure!(self.wrong.is_empty(), "{self}");
        Ok(())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (calls, unanswered) = self.calls;
        write!(
            f,
            "acknowledged {}, proofs verified {}, receipts {}, checkpoints {}, cancelled {}, attempts beyond the first {}, calls \
             {calls} ({unanswered} without an answer), wrong {}",
            self.acknowledged,
            self.verified,
            self.receipts,
            self.checkpoints,
            self.cancelled,
            self.retried,
            self.wrong.len()
        )?;
        self.wrong
            .iter()
            .try_for_each(|wrong| write!(f, "\n  {wrong}"))
    }
}

impl Cluster {
    /// Heals the cluster, lets everything acknowledged finish, and looks at all of it.
    ///
    /// # Errors
    /// When it does not heal, or cannot be asked; what is wrong stands in the verdict.
    pub async fn audit(&mut self, recorded: &Recorded) -> anyhow::Result<Verdict> {
        self.heal().await?;
        let mut verdict = Verdict {
            acknowledged: recorded.acknowledged.len(),
            ..Verdict::default()
        };
        for (number, acknowledged) in &recorded.acknowledged {
            let history = &recorded.history;
            let ended = self.ended_well(*number, acknowledged, history, &mut verdict);
            if let Err(error) = ended.await {
                verdict
                    .wrong
                    .push(format!("submission {number}: {error:#}"));
            }
        }
        if let Err(error) = self.agree().await {
            verdict.wrong.push(format!("{error:#}"));
        }
        match self.log_holds().await {
            Ok(checkpoints) => verdict.checkpoints = checkpoints,
            Err(error) => verdict.wrong.push(format!("the log: {error:#}")),
        }
        if let Err(violation) = recorded.history.check() {
            verdict.wrong.push(violation.to_string());
        }
        let (calls, answered) = recorded.history.counts();
        verdict.calls = (calls, calls - answered);
        Ok(verdict)
    }

    /// Looks at one task after its end, through a gateway that depends on its number. What it sees
    /// goes into the history: it must follow from what the clients saw.
    async fn ended_well(
        &self,
        number: u64,
        acknowledged: &Acknowledged,
        history: &History,
        verdict: &mut Verdict,
    ) -> anyhow::Result<()> {
        let gateway = format!("c{}", number % u64::from(self.layout().coordinators) + 1);
        let client = self.client(&gateway)?;
        let id = acknowledged.id.as_str();
        let look = history.begin(&name(number), Call::Get);
        let task = client.wait_task(id, PATIENCE, |_| {}).await;
        let task = task.with_context(|| format!("task {id} is lost, as {gateway} says"))?;
        history.end(&look, shown(&task)?);
        let accepted = task
            .attempts
            .iter()
            .filter(|attempt| attempt.problem.is_none());
        let accepted = accepted
            .filter(|attempt| attempt.ended_at.is_some())
            .count();
        match task.state {
            TaskState::Done if acknowledged.cancelled => {
                anyhow::bail!("task {id} is done after its cancellation was acknowledged")
            }
            TaskState::Done => {
                ensure!(
                    accepted == 1,
                    "task {id} has {accepted} completions: {:?}",
                    task.attempts
                );
                let download = history.begin(&name(number), Call::Proof);
                let proof = client.proof(id).await?;
                let digest = Digest::of(&proof).to_string();
                history.end(&download, Answer::Done(digest));
                self.proves(number, &task, &proof)?;
                verdict.verified += 1;
                self.receipt_holds(&client, &task).await?;
                verdict.receipts += 1;
                verdict.retried += task.attempts.len() - 1;
            }
            // A cancellation may have taken effect without its answer, but not without its question.
            TaskState::Cancelled => {
                ensure!(
                    history.was_asked(&name(number), &Call::Cancel),
                    "task {id} is cancelled and nobody cancelled it"
                );
                verdict.cancelled += 1;
            }
            state => anyhow::bail!("task {id} is {state}: {:?}", task.error),
        }
        Ok(())
    }

    /// Whether a served proof is one of what was submitted.
    fn proves(&self, number: u64, task: &Task, proof: &[u8]) -> anyhow::Result<()> {
        let native = native()?;
        let shown = task
            .public_inputs
            .as_ref()
            .context("it shows no public inputs")?;
        let (_, expected) = native.assign(&preimage_input(number))?;
        ensure!(
            native.instance(shown)? == expected,
            "it proves another submission"
        );
        ensure!(
            native.verifies(&expected, proof),
            "its proof does not verify"
        );
        Ok(())
    }

    /// Whether a task's receipt verifies by the log's key alone, and is of its proof.
    async fn receipt_holds(&self, client: &Client, task: &Task) -> anyhow::Result<()> {
        let receipt = client.receipt(&task.id).await?.to_string();
        let receipt = Receipt::from_json(&receipt)?;
        receipt.verify(&self.log_key()?)?;
        let proof = task.proof.as_ref().context("it has no proof")?;
        let leaf = &receipt.leaf;
        ensure!(
            leaf.task.to_string() == task.id,
            "the receipt is of {}",
            leaf.task
        );
        ensure!(leaf.proof.to_string() == proof.digest, "of another proof");
        Ok(())
    }

    /// The key of the cluster's log, from the file that `aureole cluster init` made.
    fn log_key(&self) -> anyhow::Result<TrustedKeys> {
        let file = self.folder().join("cluster/coordinator-1/log.key");
        let key = SignerKey::from_text(std::fs::read_to_string(file)?.trim())?;
        Ok(TrustedKeys::new(vec![key.verifier().clone()])?)
    }

    /// Waits until each coordinator's disk has a whole log under the newest checkpoint, and compares
    /// every checkpoint that any of them kept with it. Returns how many there were.
    async fn log_holds(&self) -> anyhow::Result<usize> {
        let trusted = self.log_key()?;
        let client = self.client("c1")?;
        let newest = match client.log_checkpoint().await {
            Ok(note) => String::from_utf8(note.to_vec())?,
            Err(aureole_client::Error::Problem { problem, .. })
                if problem.is(codes::log::EMPTY) =>
            {
                return Ok(0);
            }
            Err(error) => return Err(error.into()),
        };
        let newest = Checkpoint::open(&newest, &trusted)?.checkpoint;
        let mut kept = Vec::new();
        for name in self.coordinators() {
            let folder = TileFolder::new(self.server(&name)?.data_dir().join("receipts"));
            eventually(&format!("the log of {name} to be whole"), || async {
                let audited = audit(&folder, &newest, None);
                Ok(audited.ok())
            })
            .await?;
            for note in folder.checkpoints()? {
                let head = *Checkpoint::open(&note, &trusted)?.checkpoint.head();
                kept.push((name.clone(), folder.clone(), head));
            }
        }
        for (name, folder, head) in &kept {
            let size = newest.head().size.max(head.size);
            let root = Log::new(folder, size).root_at(head.size)?;
            ensure!(
                root == head.root,
                "a checkpoint of {} leaves on {name} is of another history",
                head.size
            );
        }
        Ok(kept.len())
    }

    /// Waits until all coordinators have applied the same commands, and compares what came of them.
    async fn agree(&self) -> anyhow::Result<()> {
        let states = eventually(
            "all coordinators to have applied the same commands",
            || async {
                let mut states = Vec::new();
                for name in self.coordinators() {
                    match self.status(&name) {
                        Ok(status) => states.push(status),
                        Err(_) => return Ok(None),
                    }
                }
                let first = states.first().map(|status| status.applied);
                let same = states.iter().all(|status| Some(status.applied) == first);
                Ok(same.then_some(states))
            },
        )
        .await?;
        let digests: Vec<_> = states
            .iter()
            .map(|status: &Status| &status.state_digest)
            .collect();
        ensure!(
            digests
                .iter()
                .all(|digest| digest.is_some() && Some(digest) == digests.first()),
            "the coordinators' states differ: {states:?}"
        );
        Ok(())
    }
}

/// A task after its end as the history has it.
fn shown(task: &Task) -> anyhow::Result<Answer> {
    Ok(match task.state {
        TaskState::Done => {
            let proof = task.proof.as_ref().context("a done task shows no proof")?;
            Answer::Done(proof.digest.clone())
        }
        TaskState::Failed => Answer::Failed,
        TaskState::Cancelled => Answer::Cancelled,
        TaskState::Queued | TaskState::Running => Answer::Live,
    })
}

/// Keys made by stock halo2 from the author's code, once for a process.
fn native() -> anyhow::Result<&'static Native<Preimage>> {
    static NATIVE: OnceLock<Native<Preimage>> = OnceLock::new();
    if let Some(native) = NATIVE.get() {
        return Ok(native);
    }
    let k = Native::<Preimage>::recorded(&json!({}))?.k;
    let native = Native::new(&json!({}), k)?;
    Ok(NATIVE.get_or_init(|| native))
}

//! Keys, proofs and verdicts, made in child processes.
//!
//! A circuit is asked for by digest. A child that does not know it says so, and is given the
//! circuit's bytes from the depot; from then on it has the circuit and its keys warm. Whoever
//! verifies what was proved uses another [`Provers`], in the role of a verifier: no proof is
//! judged by the process that made it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aureole_prover::{Values, Verdict};
use aureole_store::{BLOB_BYTES_MAX, Digest, Secret, SharedBlobs};

use crate::child::Kind;
use crate::error::Error;
use crate::frame::Blobs;
use crate::limits::VERIFY_BATCH_MAX;
use crate::message::{CircuitLimits, Key, Prepared, Reply, Request, Role, Stage, Start};
use crate::pool::{Lease, Pool};
use crate::process::{ChildCommand, OnReply, Progress};
use crate::unsatisfied::Unsatisfied;

/// How proofs are made.
#[derive(Clone, Debug)]
pub struct ProversConfig {
    /// How children are started.
    pub command: ChildCommand,
    /// Proofs at the same time, each in a process of its own.
    pub size: u32,
    /// Threads of each process.
    pub threads: u32,
    /// Folder of the public parameters.
    pub params_dir: PathBuf,
    /// Bytes of proving keys that each process keeps warm.
    pub key_cache_bytes: u64,
    /// Address space of each process. It is not memory: what is not touched costs nothing.
    pub address_bytes: u64,
    /// What a circuit may take.
    pub limits: CircuitLimits,
    /// Longest time for making a circuit's keys.
    pub keygen_timeout: Duration,
    /// Longest time for one proof.
    pub prove_timeout: Duration,
    /// Longest time for one verification, a batch included.
    pub verify_timeout: Duration,
    /// Added to the children's niceness.
    pub nice: i32,
}

/// Provers or verifiers; clones share the processes.
#[derive(Clone, Debug)]
pub struct Provers {
    pool: Pool,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: ProversConfig,
    depot: SharedBlobs,
}

/// One process, held for one circuit: its keys are made while the witness is computed elsewhere.
#[derive(Debug)]
pub struct Session {
    lease: Lease,
    inner: Arc<Inner>,
    circuit: Digest,
    /// Threads for the work; 0 is all of the process's.
    threads: u32,
}

/// A proof that nobody has verified yet.
#[derive(Debug)]
pub struct Proved {
    /// The proof.
    pub proof: Vec<u8>,
    /// The public inputs, 32 bytes each, in the circuit's order.
    pub public_inputs: Vec<u8>,
    /// Time for the check of the witness.
    pub check: Duration,
    /// Time for the keys; near zero when they were warm.
    pub keygen: Duration,
    /// Time for the proof.
    pub prove: Duration,
    /// The most memory that the process had resident meanwhile, keys included; 0 where the system
    /// does not tell.
    pub peak_bytes: u64,
}

/// Verdicts, in the order of the proofs, and the time they took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// One for each proof.
    pub verdicts: Vec<Verdict>,
    /// Wall time inside the process.
    pub took: Duration,
}

// === impl ProversConfig ===

impl ProversConfig {
    /// One process with default limits.
    #[must_use]
    pub fn new(command: ChildCommand, params_dir: PathBuf, threads: u32) -> Self {
        Self {
            command,
            size: 1,
            threads,
            params_dir,
            // A k = 12 key of 10 columns takes 20 MB, a k = 14 key of 40 columns 330 MB.
            key_cache_bytes: 1 << 30,
            // Keys, one proof at its estimated limit, and the allocator's arenas.
            address_bytes: 12 << 30,
            limits: CircuitLimits::default(),
            keygen_timeout: Duration::from_secs(300),
            prove_timeout: Duration::from_secs(1800),
            verify_timeout: Duration::from_secs(120),
            nice: 10,
        }
    }

    /// Keeps to an amount of memory: all warm keys together take at most a quarter of it, so that as
    /// many proofs as there are processes find room beside them, and a circuit that does not fit is
    /// refused.
    #[must_use]
    pub fn within(mut self, memory_bytes: u64) -> Self {
        let each = memory_bytes / KEYS_PART / u64::from(self.size.max(1));
        self.key_cache_bytes = self.key_cache_bytes.min(each);
        self.limits.memory_bytes = memory_bytes;
        self.address_bytes = self.address_bytes.max(memory_bytes);
        self
    }
}

// === impl Provers ===

impl Provers {
    /// A set of provers. No process is started yet: see [`Provers::fill`].
    #[must_use]
    pub fn new(config: ProversConfig, depot: SharedBlobs) -> Self {
        let start = Start {
            memory_bytes: config.address_bytes,
            cpu_seconds: None,
            nice: config.nice,
            role: Role::Prover {
                params_dir: config.params_dir.clone(),
                threads: config.threads,
                key_cache_bytes: config.key_cache_bytes,
                limits: config.limits,
            },
        };
        let pool = Pool::new(config.command.clone(), Kind::Prover, start, config.size);
        Self {
            pool,
            inner: Arc::new(Inner { config, depot }),
        }
    }

    /// Starts all processes, so that the first calls need not wait for them.
    ///
    /// # Errors
    /// [`Error::Spawn`], [`Error::Crashed`] and the like.
    pub async fn fill(&self) -> Result<(), Error> {
        self.pool.fill().await
    }

    /// Threads that a piece of work uses when it is asked to use so many; 0 asks for all.
    #[must_use]
    pub fn threads(&self, wanted: u32) -> u32 {
        let all = self.inner.config.threads.max(1);
        if wanted == 0 { all } else { wanted.min(all) }
    }

    /// Circuits whose proving keys are in memory, as the processes said after their last work.
    #[must_use]
    pub fn warm(&self) -> Vec<Digest> {
        let kept = self.pool.kept().into_iter();
        kept.map(|key| Digest::from_bytes(key.0)).collect()
    }

    /// Bytes of the proving keys in memory, over all processes, as they said after their last work.
    #[must_use]
    pub fn warm_bytes(&self) -> u64 {
        self.pool.kept_bytes()
    }

    /// Generates the public parameters that are missing or damaged on disk, telling each k before
    /// it starts. Takes seconds to minutes; done once, before the first circuit.
    ///
    /// # Errors
    /// [`Error::Failed`], [`Error::Timeout`] and the other errors of a child process.
    pub async fn generate_params(
        &self,
        k_min: u32,
        k_max: u32,
        mut on_k: impl FnMut(u32) + Send,
    ) -> Result<(), Error> {
        let during = "generating parameters";
        let mut lease = self.pool.take(None).await?;
        let mut on_reply = |progress| {
            if let Progress::Params(k) = progress {
                on_k(k);
            }
        };
        let request = Request::GenerateParams { k_min, k_max };
        let limit = self.inner.config.prove_timeout;
        match lease
            .call(&request, &[], during, limit, &mut on_reply)
            .await?
        {
            (Reply::Done, _) => Ok(()),
            _ => Err(lease.unexpected(during)),
        }
    }

    /// Checks a circuit, makes its keys and tells what is known of it.
    ///
    /// # Errors
    /// [`Error::Refused`] with an `ir.*`, `limits.*` or `circuit.*` code, and the errors of a
    /// child process.
    pub async fn prepare(&self, circuit: &[u8]) -> Result<Prepared, Error> {
        self.prepare_with(circuit, 0).await
    }

    /// As [`Provers::prepare`], with fewer threads than the process has; 0 is all of them.
    ///
    /// # Errors
    /// As [`Provers::prepare`].
    pub async fn prepare_with(&self, circuit: &[u8], threads: u32) -> Result<Prepared, Error> {
        let mut session = self.open(&Digest::of(circuit)).await?.with_threads(threads);
        session.prepare(&[circuit], true).await
    }

    /// Makes a circuit's verifying key, unless it is warm, and tells what is known of it.
    ///
    /// # Errors
    /// As [`Provers::prepare`], and [`Error::Depot`] if the circuit's bytes are not there.
    pub async fn verifying_key(&self, circuit: &Digest) -> Result<Prepared, Error> {
        self.open(circuit).await?.prepare_known(false).await
    }

    /// Takes a process for one circuit, waiting for a free one.
    ///
    /// # Errors
    /// [`Error::Spawn`], [`Error::Crashed`] and the like.
    pub async fn open(&self, circuit: &Digest) -> Result<Session, Error> {
        let lease = self.pool.take(Some(Key(*circuit.as_bytes()))).await?;
        Ok(Session {
            lease,
            inner: Arc::clone(&self.inner),
            circuit: *circuit,
            threads: 0,
        })
    }

    /// Proves; see [`Session::prove`].
    ///
    /// # Errors
    /// As [`Session::prove`].
    pub async fn prove(
        &self,
        circuit: &Digest,
        witness: &Secret,
        on_stage: impl FnMut(Stage) + Send,
    ) -> Result<Result<Proved, Unsatisfied>, Error> {
        self.open(circuit).await?.prove(witness, on_stage).await
    }

    /// Verifies one proof against flat public inputs, 32 bytes each.
    ///
    /// # Errors
    /// The errors of a child process; a bad proof is a verdict, not an error.
    pub async fn verify(
        &self,
        circuit: &Digest,
        public_inputs: &[u8],
        proof: &[u8],
    ) -> Result<(Verdict, Duration), Error> {
        let mut session = self.open(circuit).await?;
        let verdicts = session.verify(&[public_inputs, proof]).await?;
        match <[Verdict; 1]>::try_from(verdicts.verdicts) {
            Ok([verdict]) => Ok((verdict, verdicts.took)),
            Err(_) => Err(session.lease.unexpected(VERIFICATION)),
        }
    }

    /// Verifies many proofs of one circuit, sharing the largest part of the work.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`VERIFY_BATCH_MAX`] proofs, and as [`Provers::verify`].
    pub async fn verify_batch(
        &self,
        circuit: &Digest,
        proofs: &[(&[u8], &[u8])],
    ) -> Result<Verdicts, Error> {
        let value = proofs.len() as u64;
        if value > VERIFY_BATCH_MAX.into() {
            let limit = VERIFY_BATCH_MAX.into();
            return Err(Error::TooLarge {
                item: "the batch of proofs",
                value,
                limit,
            });
        }
        if proofs.is_empty() {
            return Ok(Verdicts {
                verdicts: Vec::new(),
                took: Duration::ZERO,
            });
        }
        let blobs: Vec<&[u8]> = proofs
            .iter()
            .flat_map(|(inputs, proof)| [*inputs, *proof])
            .collect();
        let mut session = self.open(circuit).await?;
        let verdicts = session.verify(&blobs).await?;
        if verdicts.verdicts.len() == proofs.len() {
            Ok(verdicts)
        } else {
            Err(session.lease.unexpected(VERIFICATION))
        }
    }
}

/// Warm keys take one part in this many of the memory, all processes together.
const KEYS_PART: u64 = 4;

const VERIFICATION: &str = "the verification";
const PROOF: &str = "the proof";

// === impl Session ===

impl Session {
    /// Makes keys and proofs with fewer threads than the process has; 0 is all of them.
    #[must_use]
    pub const fn with_threads(mut self, threads: u32) -> Self {
        self.threads = threads;
        self
    }

    /// Makes the circuit's keys unless they are warm; returns the time that took.
    ///
    /// # Errors
    /// As [`Provers::prepare`], and [`Error::Depot`] if the circuit's bytes are not there.
    pub async fn warm(&mut self) -> Result<Duration, Error> {
        let prepared = self.prepare_known(true).await?;
        Ok(Duration::from_micros(prepared.keygen_micros))
    }

    /// Checks a witness against the circuit, and proves it if it holds.
    ///
    /// # Errors
    /// [`Error::Refused`] for a witness of another shape, [`Error::Timeout`],
    /// [`Error::Crashed`] and the other errors of a child process.
    ///
    /// # Cancel safety
    /// Dropping the call kills the process that proves.
    pub async fn prove(
        &mut self,
        witness: &Secret,
        mut on_stage: impl FnMut(Stage) + Send,
    ) -> Result<Result<Proved, Unsatisfied>, Error> {
        let mut on_reply = |progress| {
            if let Progress::Stage(stage) = progress {
                on_stage(stage);
            }
        };
        let request = Request::Prove {
            circuit: self.key(),
            threads: self.threads,
        };
        let limit = self.inner.config.prove_timeout;
        let (reply, blobs) = self
            .call(&request, &[witness.expose()], PROOF, limit, &mut on_reply)
            .await?;
        match (reply, <[Vec<u8>; 2]>::try_from(blobs)) {
            (
                Reply::Proved {
                    check_micros,
                    keygen_micros,
                    prove_micros,
                },
                Ok(blobs),
            ) => {
                let [proof, public_inputs] = blobs;
                Ok(Ok(Proved {
                    proof,
                    public_inputs,
                    check: Duration::from_micros(check_micros),
                    keygen: Duration::from_micros(keygen_micros),
                    prove: Duration::from_micros(prove_micros),
                    peak_bytes: self.lease.peak_bytes(),
                }))
            }
            (Reply::Unsatisfied(unsatisfied), _) => Ok(Err(Unsatisfied(*unsatisfied))),
            _ => Err(self.lease.unexpected(PROOF)),
        }
    }

    /// Checks a witness against the circuit; returns the time it took.
    ///
    /// # Errors
    /// As [`Session::prove`].
    pub async fn check(
        &mut self,
        witness: &Secret,
    ) -> Result<Result<Duration, Unsatisfied>, Error> {
        let request = Request::Check {
            circuit: self.key(),
        };
        self.judge(&request, &[witness.expose()]).await
    }

    /// Checks a witness, and says by name what it breaks: region, row, cells, and what the cells
    /// hold where `values` says so.
    ///
    /// # Errors
    /// As [`Session::prove`].
    pub async fn diagnose(
        &mut self,
        annotations: &[u8],
        witness: &Secret,
        values: Values,
    ) -> Result<Result<Duration, Unsatisfied>, Error> {
        let request = Request::Diagnose {
            circuit: self.key(),
            values,
        };
        self.judge(&request, &[annotations, witness.expose()]).await
    }

    async fn judge(
        &mut self,
        request: &Request,
        blobs: &[&[u8]],
    ) -> Result<Result<Duration, Unsatisfied>, Error> {
        let during = "the check of the witness";
        let limit = self.inner.config.prove_timeout;
        match self
            .call(request, blobs, during, limit, &mut |_| {})
            .await?
        {
            (Reply::Checked { micros }, _) => Ok(Ok(Duration::from_micros(micros))),
            (Reply::Unsatisfied(unsatisfied), _) => Ok(Err(Unsatisfied(*unsatisfied))),
            _ => Err(self.lease.unexpected(during)),
        }
    }

    /// Verifies pairs of public inputs and proof, alternating.
    async fn verify(&mut self, blobs: &[&[u8]]) -> Result<Verdicts, Error> {
        let request = Request::Verify {
            circuit: self.key(),
        };
        let limit = self.inner.config.verify_timeout;
        match self
            .call(&request, blobs, VERIFICATION, limit, &mut |_| {})
            .await?
        {
            (Reply::Verdicts { verdicts, micros }, _) => Ok(Verdicts {
                verdicts,
                took: Duration::from_micros(micros),
            }),
            _ => Err(self.lease.unexpected(VERIFICATION)),
        }
    }

    /// Calls the process; gives it the circuit first if it does not know it.
    async fn call(
        &mut self,
        request: &Request,
        blobs: &[&[u8]],
        during: &'static str,
        limit: Duration,
        on_reply: OnReply<'_>,
    ) -> Result<(Reply, Blobs), Error> {
        let answer = self
            .lease
            .call(request, blobs, during, limit, on_reply)
            .await?;
        if !matches!(answer.0, Reply::NeedCircuit) {
            return Ok(answer);
        }
        let bytes = self.inner.depot.get(&self.circuit, BLOB_BYTES_MAX).await?;
        // A verifier needs no proving key; a proof makes its own.
        self.prepare(&[&bytes], false).await?;
        self.lease
            .call(request, blobs, during, limit, on_reply)
            .await
    }

    /// Makes the keys of the circuit, whose bytes are fetched if the process does not know it.
    async fn prepare_known(&mut self, proving: bool) -> Result<Prepared, Error> {
        match self.prepare(&[], proving).await {
            Err(Error::NeedCircuit) => {
                let bytes = self.inner.depot.get(&self.circuit, BLOB_BYTES_MAX).await?;
                self.prepare(&[&bytes], proving).await
            }
            result => result,
        }
    }

    async fn prepare(&mut self, circuit: &[&[u8]], proving: bool) -> Result<Prepared, Error> {
        let during = "making the keys";
        let key = self.key();
        let request = Request::Prepare {
            circuit: key,
            proving,
            threads: self.threads,
        };
        let limit = self.inner.config.keygen_timeout;
        match self
            .lease
            .call(&request, circuit, during, limit, &mut |_| {})
            .await?
        {
            (Reply::Prepared(prepared), _) if prepared.circuit_digest == hex::encode(key.0) => {
                self.lease.has(key);
                Ok(*prepared)
            }
            (Reply::NeedCircuit, _) => {
                self.lease.lacks(key);
                Err(Error::NeedCircuit)
            }
            _ => Err(self.lease.unexpected(during)),
        }
    }

    fn key(&self) -> Key {
        Key(*self.circuit.as_bytes())
    }
}

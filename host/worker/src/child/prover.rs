//! The prover child: keys, checks, proofs and verdicts for circuits it keeps warm.
//!
//! A circuit arrives once as bytes, is decoded and checked, and is then asked for by digest. Its
//! keys are made at its preparation and kept within the prover's byte budget. What a witness
//! brings along is wiped after each request. A proof uses all of the child's threads, or as many
//! as it is told: when tasks queue, several proofs with one thread each finish sooner.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aureole_ir::{Annotations, CheckedCircuit, Circuit, Witness};
use aureole_prover::{
    Error, Halo2Ipa, ParamsDir, Unsatisfied, assign, check, estimate, explain, proof_work,
};
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde_json::json;
use zeroize::Zeroize;

use super::process::{Replies, forget_peak, peak_bytes, wipe};
use super::{Service, foreign, micros, plain, take};
use crate::frame::Blobs;
use crate::limits::LOADED_CIRCUITS_MAX;
use crate::message::{CircuitLimits, Key, Prepared, Reply, Request, Stage, Usage};
use crate::problem::Problem;

pub(super) struct Prover {
    halo2: Halo2Ipa,
    limits: CircuitLimits,
    /// Most recently used last.
    circuits: Vec<(Key, Arc<CheckedCircuit>)>,
    /// Threads of the global pool.
    threads: usize,
    /// Fewer threads, for the work that was last asked to use fewer.
    fewer: Option<ThreadPool>,
}

/// What the prover was doing when something went wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum During {
    Keygen,
    Proof,
    Verification,
}

impl Prover {
    pub(super) fn new(
        params_dir: PathBuf,
        threads: u32,
        key_cache_bytes: u64,
        limits: CircuitLimits,
    ) -> Result<Self, String> {
        let threads = usize::try_from(threads).unwrap_or(1).max(1);
        ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|error| format!("no threads: {error}"))?;
        let params = ParamsDir::open(params_dir).map_err(|error| error.to_string())?;
        Ok(Self {
            halo2: Halo2Ipa::new(params, key_cache_bytes),
            limits,
            circuits: Vec::new(),
            threads,
            fewer: None,
        })
    }

    /// Makes the pool for a piece of work that is to use fewer threads than there are.
    fn use_threads(&mut self, wanted: u32) -> Result<(), Reply> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        if wanted == 0 || wanted >= self.threads {
            self.fewer = None;
            return Ok(());
        }
        if self.fewer.as_ref().map(ThreadPool::current_num_threads) != Some(wanted) {
            let pool = ThreadPoolBuilder::new().num_threads(wanted).build();
            self.fewer = Some(pool.map_err(|error| Reply::Failed {
                detail: format!("no {wanted} threads: {error}"),
            })?);
        }
        Ok(())
    }

    /// Tells what the work took, and which keys are warm now.
    fn tell_usage(&self, replies: &mut Replies) {
        let warm = self.halo2.warm().into_iter().map(|digest| Key(digest.0));
        replies.notify(&Reply::Usage(Usage {
            peak_bytes: peak_bytes(),
            warm: warm.collect(),
            warm_bytes: self.halo2.warm_bytes(),
        }));
    }

    fn answer(
        &mut self,
        request: &Request,
        blobs: Blobs,
        replies: &mut Replies,
    ) -> Result<(Reply, Blobs), Reply> {
        match *request {
            Request::Prepare {
                circuit,
                proving,
                threads,
            } => {
                let circuit = match <[Vec<u8>; 1]>::try_from(blobs) {
                    Ok([bytes]) => self.load(circuit, &bytes)?,
                    Err(_) => self.circuit(circuit)?,
                };
                self.use_threads(threads)?;
                forget_peak();
                let reply = match &self.fewer {
                    Some(pool) => pool.install(|| self.prepare(&circuit, proving)),
                    None => self.prepare(&circuit, proving),
                };
                self.tell_usage(replies);
                reply
            }
            Request::Prove { circuit, threads } => {
                let circuit = self.circuit(circuit)?;
                let [bytes] = take(blobs)?;
                self.use_threads(threads)?;
                forget_peak();
                let mut witness = witness(&circuit, bytes)?;
                let reply = self.prove(&circuit, &mut witness, replies);
                wipe_witness(&mut witness);
                self.tell_usage(replies);
                reply
            }
            Request::Check { circuit } => {
                let circuit = self.circuit(circuit)?;
                let [bytes] = take(blobs)?;
                judge(&circuit, bytes, check)
            }
            Request::Diagnose { circuit, values } => {
                let circuit = self.circuit(circuit)?;
                let [annotations, bytes] = take(blobs)?;
                let annotations =
                    Annotations::decode(&annotations).map_err(|error| malformed(&error))?;
                judge(&circuit, bytes, |circuit, witness| {
                    explain(circuit, &annotations, witness, values)
                })
            }
            Request::Verify { circuit } => {
                let circuit = self.circuit(circuit)?;
                self.verify(&circuit, &blobs)
            }
            Request::GenerateParams { k_min, k_max } => {
                self.halo2
                    .params()
                    .generate_missing(k_min..=k_max, |k| replies.notify(&Reply::Params { k }))
                    .map_err(|error| refusal(&error, During::Keygen))?;
                Ok(plain(Reply::Done))
            }
            _ => Ok(foreign()),
        }
    }

    /// A circuit that was loaded before.
    fn circuit(&mut self, key: Key) -> Result<Arc<CheckedCircuit>, Reply> {
        let at = self.circuits.iter().position(|(known, _)| *known == key);
        let entry = self.circuits.remove(at.ok_or(Reply::NeedCircuit)?);
        let circuit = Arc::clone(&entry.1);
        self.circuits.push(entry);
        Ok(circuit)
    }

    /// Decodes and checks a circuit, and keeps it.
    fn load(&mut self, key: Key, bytes: &[u8]) -> Result<Arc<CheckedCircuit>, Reply> {
        if let Ok(circuit) = self.circuit(key) {
            return Ok(circuit);
        }
        let limits = aureole_ir::Limits {
            k_max: self.limits.k_max,
            ..aureole_ir::Limits::default()
        };
        let circuit = Circuit::decode(bytes).map_err(|error| malformed(&error))?;
        let circuit = circuit
            .check(&limits)
            .map_err(|refusal| Reply::Refused(Problem::new(refusal.code, &refusal)))?;
        if circuit.digest().0 != key.0 {
            return Err(Reply::Failed {
                detail: format!("the circuit's bytes have digest {}", circuit.digest()),
            });
        }
        self.check_cost(&circuit)?;
        if self.circuits.len() >= LOADED_CIRCUITS_MAX {
            self.circuits.remove(0);
        }
        let circuit = Arc::new(circuit);
        self.circuits.push((key, Arc::clone(&circuit)));
        Ok(circuit)
    }

    /// Refuses a circuit whose keys or proofs would not fit, before they are tried.
    fn check_cost(&self, circuit: &CheckedCircuit) -> Result<(), Reply> {
        let estimate = estimate(circuit.shape());
        let parts = [
            estimate.params_bytes,
            estimate.key_bytes,
            estimate.prove_bytes,
        ];
        let whole = parts.into_iter().fold(0, u64::saturating_add);
        for (item, bytes, limit) in [
            ("keys", estimate.key_bytes, self.limits.key_bytes_max),
            ("a proof", estimate.prove_bytes, self.limits.prove_bytes_max),
        ] {
            if bytes > limit {
                let detail = format!(
                    "{item} of this circuit would take about {bytes} bytes of memory, {limit} are \
                     allowed: use fewer columns, a lower degree or a smaller k"
                );
                return Err(Reply::Refused(Problem::new("limits.cost", detail)));
            }
        }
        let there = self.limits.memory_bytes;
        if whole > there {
            let detail = format!(
                "parameters, keys and a proof of this circuit would take about {whole} bytes of \
                 memory, this worker has {there}: make the circuit smaller, or have a larger worker \
                 join and send it again"
            );
            return Err(Reply::Refused(Problem::new("limits.cost", detail)));
        }
        Ok(())
    }

    fn prepare(&self, circuit: &CheckedCircuit, proving: bool) -> Result<(Reply, Blobs), Reply> {
        let refused = |error| refusal(&error, During::Keygen);
        let start = Instant::now();
        let facts = if proving {
            self.halo2.proving(circuit).map_err(refused)?.facts()
        } else {
            self.halo2.verifying(circuit).map_err(refused)?.facts()
        };
        let constraint_system = &circuit.circuit().constraint_system;
        let gates: Vec<&str> = constraint_system
            .gates
            .iter()
            .map(|gate| gate.name.as_str())
            .collect();
        let public_inputs: Vec<_> = circuit
            .circuit()
            .public_inputs
            .iter()
            .map(|input| json!({"name": input.name, "column": input.column, "rows": input.rows}))
            .collect();
        let estimate = estimate(circuit.shape());
        let report = json!({
            "circuit_digest": circuit.digest().to_string(),
            "key_digest": facts.key_digest.to_string(),
            "shape": circuit.shape(),
            "gates": gates,
            "public_inputs": public_inputs,
            "lints": circuit.lints(),
            "proof_bytes": facts.proof_bytes,
            "estimate": estimate,
        });
        let too_long = |_| Reply::Failed {
            detail: format!("proofs have {} bytes", facts.proof_bytes),
        };
        Ok(plain(Reply::Prepared(Box::new(Prepared {
            circuit_digest: circuit.digest().to_string(),
            key_digest: facts.key_digest.to_string(),
            k: circuit.circuit().k,
            proof_bytes: facts.proof_bytes.try_into().map_err(too_long)?,
            report,
            keygen_micros: micros(start.elapsed()),
            peak_bytes: peak_bytes(),
            memory_bytes: estimate
                .params_bytes
                .saturating_add(estimate.key_bytes)
                .saturating_add(estimate.prove_bytes),
            work: proof_work(circuit.shape()),
        }))))
    }

    fn prove(
        &self,
        circuit: &CheckedCircuit,
        witness: &mut Witness,
        replies: &mut Replies,
    ) -> Result<(Reply, Blobs), Reply> {
        replies.notify(&Reply::Stage(Stage::Check));
        let start = Instant::now();
        check(circuit, witness).map_err(unsatisfied_reply)?;
        let checked = start.elapsed();
        replies.notify(&Reply::Stage(Stage::Prove));
        let pool = self.fewer.as_ref();
        let assigned = assign(circuit, witness, pool);
        let assigned = assigned.map_err(|error| refusal(&error, During::Proof))?;
        // halo2 has the values: their bytes are not kept beside them through the proof.
        wipe_witness(witness);
        let proof = self
            .halo2
            .prove_assigned(circuit, assigned, pool)
            .map_err(|error| refusal(&error, During::Proof))?;
        let reply = Reply::Proved {
            check_micros: micros(checked),
            keygen_micros: micros(proof.timings.keys),
            prove_micros: micros(proof.timings.values.saturating_add(proof.timings.prove)),
        };
        Ok((reply, vec![proof.bytes, witness.public_inputs.clone()]))
    }

    fn verify(&self, circuit: &CheckedCircuit, blobs: &Blobs) -> Result<(Reply, Blobs), Reply> {
        let (pairs, rest) = blobs.as_chunks::<2>();
        if !rest.is_empty() {
            let detail = "a proof came without its public inputs".to_owned();
            return Err(Reply::Failed { detail });
        }
        let start = Instant::now();
        let refused = |error| refusal(&error, During::Verification);
        let verdicts = match pairs {
            [[public_inputs, proof]] => {
                vec![
                    self.halo2
                        .verify(circuit, public_inputs, proof)
                        .map_err(refused)?,
                ]
            }
            pairs => {
                let pairs: Vec<(&[u8], &[u8])> = pairs
                    .iter()
                    .map(|[public_inputs, proof]| (public_inputs.as_slice(), proof.as_slice()))
                    .collect();
                self.halo2.verify_batch(circuit, &pairs).map_err(refused)?
            }
        };
        let micros = micros(start.elapsed().max(Duration::from_micros(1)));
        Ok(plain(Reply::Verdicts { verdicts, micros }))
    }
}

impl Service for Prover {
    fn handle(&mut self, request: Request, blobs: Blobs, replies: &mut Replies) -> (Reply, Blobs) {
        self.answer(&request, blobs, replies).unwrap_or_else(plain)
    }
}

/// Decodes a witness and checks that it fits the circuit; the bytes are wiped.
fn witness(circuit: &CheckedCircuit, bytes: Vec<u8>) -> Result<Witness, Reply> {
    let decoded = Witness::decode(&bytes);
    wipe(vec![bytes]);
    let witness = decoded.map_err(|error| Reply::Failed {
        detail: format!("the witness's bytes are malformed: {error}"),
    })?;
    circuit
        .check_witness(&witness)
        .map_err(|refusal| Reply::Refused(Problem::new(refusal.code, &refusal)))?;
    Ok(witness)
}

fn wipe_witness(witness: &mut Witness) {
    witness.advice_values.zeroize();
    witness.advice_values = Vec::new();
    for denominator in &mut witness.denominators {
        denominator.value.0.zeroize();
    }
}

fn malformed(error: &aureole_ir::DecodeError) -> Reply {
    Reply::Refused(Problem::new("ir.malformed", error))
}

/// Checks a witness in one way or another, and wipes it.
fn judge(
    circuit: &CheckedCircuit,
    bytes: Vec<u8>,
    check: impl FnOnce(&CheckedCircuit, &Witness) -> Result<(), Unsatisfied>,
) -> Result<(Reply, Blobs), Reply> {
    let mut witness = witness(circuit, bytes)?;
    let start = Instant::now();
    let result = check(circuit, &witness);
    wipe_witness(&mut witness);
    result.map_err(unsatisfied_reply)?;
    Ok(plain(Reply::Checked {
        micros: micros(start.elapsed()),
    }))
}

fn unsatisfied_reply(unsatisfied: Unsatisfied) -> Reply {
    Reply::Unsatisfied(Box::new(unsatisfied))
}

/// Whether the circuit is to blame or the node. Text of a panic during a proof is not shown: it
/// may be made of witness values.
fn refusal(error: &Error, during: During) -> Reply {
    match error {
        Error::Refused(refusal) => Reply::Refused(Problem::new(refusal.code, refusal)),
        Error::K { .. } => Reply::Refused(Problem::new("ir.k", error)),
        Error::Rotation { .. } => Reply::Refused(Problem::new("ir.rotation", error)),
        Error::Backend { .. } => Reply::Refused(Problem::new("circuit.keygen", error)),
        Error::Halo2 { .. } | Error::Panicked { .. } if during == During::Keygen => {
            Reply::Refused(Problem::new("circuit.keygen", error))
        }
        Error::Panicked { during, .. } => Reply::Failed {
            detail: format!("halo2 panicked during {during}"),
        },
        error => Reply::Failed {
            detail: chain(error),
        },
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

//! What a node does with a plugin, on this machine: scan, compile, describe, record, prove, verify.
//!
//! The same sandbox, prover and verifier as a node's, in child processes and with a node's default
//! limits. What a node would refuse is refused here, with the same code.

use std::time::{Duration, Instant};

use aureole_ir::{CheckedCircuit, Circuit, Limits};
use aureole_node::Schema;
use aureole_runtime::{Description, ScanReport};
use aureole_store::{Digest, Secret};
use aureole_worker::{Prepared, Problem, Proved};
use serde_json::Value;

use crate::workbench::Workbench;

/// A component in its place, not looked at yet.
#[derive(Debug)]
pub(super) struct Host {
    bench: Workbench,
    component: Digest,
    bytes: Vec<u8>,
}

/// The plugin's schemas, compiled.
#[derive(Debug)]
pub(super) struct Schemas {
    params: Schema,
    input: Schema,
}

/// A circuit with its keys.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) params: Value,
    pub(super) circuit: CheckedCircuit,
    pub(super) bytes: Vec<u8>,
    pub(super) digest: Digest,
    pub(super) prepared: Prepared,
    pub(super) took: Duration,
}

/// A verified proof.
#[derive(Debug)]
pub(super) struct Verified {
    pub(super) proved: Proved,
    pub(super) witness: Duration,
    pub(super) verify: Duration,
}

/// A node's refusal, or the trouble of this machine.
pub(super) type Answer<T> = Result<T, Problem>;

// === impl Host ===

impl Host {
    pub(super) async fn open(bytes: Vec<u8>) -> anyhow::Result<Self> {
        let bench = Workbench::open()?;
        let component = bench.depot.put(bytes.clone()).await?;
        Ok(Self {
            bench,
            component,
            bytes,
        })
    }

    /// SHA-256 of the component.
    pub(super) fn component(&self) -> &Digest {
        &self.component
    }

    /// A look at the bytes, before the compiler sees them.
    pub(super) fn scan(&self) -> Answer<ScanReport> {
        aureole_runtime::scan(&self.bytes, &aureole_runtime::Limits::default())
            .map_err(|error| Problem::new(error.code(), &error))
    }

    /// WebAssembly to machine code.
    pub(super) async fn compile(&self) -> Answer<Duration> {
        let compiled = self.bench.sandboxes.compile(&self.component).await;
        compiled.map_err(refused)
    }

    /// What the plugin says of itself.
    pub(super) async fn describe(&self) -> Answer<Description> {
        let described = self.bench.sandboxes.describe(&self.component).await;
        Ok(described.map_err(refused)?.value)
    }

    /// The circuit's bytes as the plugin records them.
    pub(super) async fn record(&self, params: &Value) -> Answer<Vec<u8>> {
        let params = params.to_string().into_bytes();
        let circuit = self.bench.sandboxes.circuit(&self.component, &params).await;
        Ok(circuit.map_err(refused)?.value)
    }

    /// Records a circuit, checks it and makes its keys.
    pub(super) async fn make(&self, params: Value) -> Answer<Made> {
        let bytes = self.record(&params).await?;
        let circuit = check_circuit(&bytes)?;
        let start = Instant::now();
        let prepared = self.bench.provers.prepare(&bytes).await.map_err(refused)?;
        let took = start.elapsed();
        let put = self.bench.depot.put(bytes.clone()).await;
        let digest = put.map_err(|error| refused(error.into()))?;
        Ok(Made {
            params,
            circuit,
            bytes,
            digest,
            prepared,
            took,
        })
    }

    /// Proves an input and verifies the proof, each in a process of its own.
    pub(super) async fn prove(&self, made: &Made, input: &Value) -> Answer<Verified> {
        let params = made.params.to_string().into_bytes();
        let input = Secret::new(input.to_string().into_bytes());
        let sandboxes = &self.bench.sandboxes;
        let witness = sandboxes
            .witness(&self.component, &params, &input)
            .await
            .map_err(refused)?;
        let again = sandboxes
            .witness(&self.component, &params, &input)
            .await
            .map_err(refused)?;
        if witness.value.expose() != again.value.expose() {
            return Err(nondeterministic("witnesses"));
        }
        let proved = self
            .bench
            .provers
            .prove(&made.digest, &witness.value, |_| {})
            .await
            .map_err(refused)?
            .map_err(|unsatisfied| unsatisfied.to_problem())?;
        let (verdict, verify) = self
            .bench
            .verifier
            .verify(&made.digest, &proved.public_inputs, &proved.proof)
            .await
            .map_err(refused)?;
        if !verdict.is_valid() {
            let detail = "the proof that was made does not verify";
            return Err(Problem::new("proof.invalid", detail));
        }
        Ok(Verified {
            proved,
            witness: witness.took,
            verify,
        })
    }
}

// === impl Schemas ===

impl Schemas {
    /// Compiles both schemas.
    pub(super) fn compile(description: &Description) -> Answer<Self> {
        let compile = |name: &str, schema: &Value| {
            Schema::compile(schema).map_err(|reason| {
                Problem::new(
                    "plugin.description",
                    format!("the plugin's {name}: {reason}"),
                )
            })
        };
        Ok(Self {
            params: compile("params_schema", &description.params_schema)?,
            input: compile("input_schema", &description.input_schema)?,
        })
    }

    /// Checks parameters as a node does before it records a circuit.
    pub(super) fn check_params(&self, params: &Value) -> Answer<()> {
        check(&self.params, params, "params.schema")
    }

    /// Checks an input as a node does before it takes a task.
    pub(super) fn check_input(&self, input: &Value) -> Answer<()> {
        check(&self.input, input, "input.schema")
    }
}

fn check(schema: &Schema, document: &Value, code: &str) -> Answer<()> {
    schema
        .check(document)
        .map_err(|mismatch| Problem::new(code, &mismatch.message).at(Some(&mismatch.path)))
}

/// The rules that every circuit keeps.
fn check_circuit(bytes: &[u8]) -> Answer<CheckedCircuit> {
    Circuit::decode(bytes)
        .map_err(|error| Problem::new("plugin.output_malformed", error))?
        .check(&Limits::default())
        .map_err(|refusal| Problem::new(refusal.code, &refusal))
}

/// Two answers to the same question that differ: two nodes would disagree about this plugin.
pub(super) fn nondeterministic(what: &str) -> Problem {
    let detail = format!(
        "two calls with the same arguments gave different {what}; nothing in a plugin may depend \
         on anything but its arguments"
    );
    Problem::new("plugin.nondeterministic", detail)
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn refused(error: aureole_worker::Error) -> Problem {
    error.to_problem().0
}

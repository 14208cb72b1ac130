//! Submits many inputs at once, follows each, and has the proofs verified at once.
//!
//! `cargo run -p aureole-client --example batch -- http://localhost:8080 merkle inputs.json` with a
//! list of inputs in the file, and the API key in `AUREOLE_KEY` where the node asks for one.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use aureole_client::Client;
use aureole_client::rest::{PluginRef, ProofClaim, TaskRequest, VerifyBatchRequest};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

/// How long a batch may take.
const WITHIN: Duration = Duration::from_secs(600);

/// From inputs to the ids of their tasks, each done, and whether all proofs verify.
pub(crate) async fn batch(
    client: &Client,
    plugin: &PluginRef,
    inputs: Vec<Value>,
) -> Result<(Vec<String>, bool), Box<dyn Error>> {
    let tasks = inputs.into_iter().map(|input| TaskRequest {
        plugin: Some(plugin.clone()),
        input,
        ..TaskRequest::default()
    });
    let report = client.submit_batch(tasks.collect()).await?;
    let mut ids = Vec::new();
    for (at, item) in report.items.into_iter().enumerate() {
        match (item.task, item.problem) {
            (Some(task), _) => ids.push(task.id),
            (None, problem) => return Err(format!("input {at}: {problem:?}").into()),
        }
    }
    for id in &ids {
        let told: Vec<_> = client.watch(id, WITHIN).try_collect().await?;
        eprintln!("{id} was told of {} times", told.len());
    }
    // Proofs of one circuit share the work of verifying them.
    let mut circuits: BTreeMap<String, Vec<ProofClaim>> = BTreeMap::new();
    let done = futures::stream::iter(&ids).then(|id| client.task(id, Duration::ZERO));
    for task in done.try_collect::<Vec<_>>().await? {
        let proof = task.proof.and_then(|proof| proof.base64);
        let (Some(circuit), Some(public_inputs), Some(proof)) =
            (task.circuit, task.public_inputs, proof)
        else {
            return Err(format!("{} is {} without a proof", task.id, task.state).into());
        };
        circuits.entry(circuit).or_default().push(ProofClaim {
            public_inputs,
            proof,
        });
    }
    let mut valid = true;
    for (circuit, proofs) in circuits {
        let request = VerifyBatchRequest { circuit, proofs };
        valid &= client.verify_batch(&request).await?.valid;
    }
    Ok((ids, valid))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [node, plugin, inputs] = arguments.as_slice() else {
        return Err("give a node, a plugin and a file with a list of inputs".into());
    };
    let mut builder = Client::builder(node);
    if let Ok(key) = std::env::var("AUREOLE_KEY") {
        builder = builder.key(key);
    }
    let inputs = serde_json::from_slice(&std::fs::read(inputs)?)?;
    let (ids, valid) = batch(&builder.build()?, &plugin.parse()?, inputs).await?;
    println!("{} proofs, all valid: {valid}", ids.len());
    Ok(())
}

//! `cold-start N`: from the upload of a plugin to its first proof in hand, over doing it by hand.
//!
//! By hand is: parameters read from disk, `keygen_vk`, `keygen_pk`, `create_proof`, of the author's
//! native circuit. The platform also compiles the component, inspects it, records the circuit twice
//! and checks it. Every round has a node and an upload of its own.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aureole_client::rest::{TaskRequest, TaskState};
use aureole_merkle::Merkle;
use aureole_tests::{Native, Node, PATIENCE, merkle_input, params_afresh, plugin};
use serde_json::{Value, json};

use crate::figures::{median, rounded};

/// The longest that a node lets a request wait.
const WAIT: Duration = Duration::from_secs(60);

pub(crate) async fn run(rounds: u32) -> anyhow::Result<Value> {
    let component = plugin("merkle")?;
    let (mut by_hand, mut platform) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let node = Node::start()?;
        let client = node.client()?;
        let begun = Instant::now();
        node.upload(component.clone()).await?;
        let request = TaskRequest {
            plugin: Some("merkle".parse()?),
            input: merkle_input(),
            ..TaskRequest::default()
        };
        let task = client.submit(&request).await?;
        let task = client.wait_task(&task.id, PATIENCE, |_| {}).await?;
        ensure!(
            task.state == TaskState::Done,
            "a proof failed: {:?}",
            task.error
        );
        let proof = client.proof(&task.id).await?;
        let through = begun.elapsed();
        let circuit = client
            .plugin("merkle", Duration::ZERO)
            .await?
            .default_circuit;
        let circuit = circuit.context("merkle has no default circuit")?;
        let circuit = client.circuit(&circuit, WAIT).await?;
        let k = circuit.shape.context("the circuit has no shape")?.k;
        drop(node);

        let begun = Instant::now();
        let native = Native::<Merkle>::with(&circuit.params, params_afresh(k)?)?;
        let (assigned, instance) = native.assign(&merkle_input())?;
        native.prove(assigned, &instance)?;
        let alone = begun.elapsed();
        ensure!(
            native.verifies(&instance, &proof),
            "stock halo2 refuses our proof"
        );
        println!(
            "round {round}: by hand {:.0} ms, platform {:.0} ms",
            alone.as_secs_f64() * 1e3,
            through.as_secs_f64() * 1e3
        );
        by_hand.push(alone.as_secs_f64() * 1e3);
        platform.push(through.as_secs_f64() * 1e3);
    }
    let (by_hand, platform) = (median(&by_hand)?, median(&platform)?);
    Ok(json!({
        "bench": "cold-start",
        "rounds": rounds,
        "by_hand_ms": rounded(by_hand),
        "platform_ms": rounded(platform),
        "ratio": rounded(platform / by_hand),
    }))
}

//! `cold-start N`: from the upload of a plugin to its first proof in hand, over doing it by hand.
//!
//! By hand is: parameters read from disk, `keygen_vk`, `keygen_pk`, `create_proof`, of the author's
//! native circuit. The platform also compiles the component, inspects it, records the circuit twice
//! and checks it. Every round has a node and an upload of its own.
//!
//! Then first proofs of two workers of one cluster, each alone. The first worker's runs from the upload:
//! inspection, the verifier's keys, its own, the proof. Then it loses its folder and starts anew, and its
//! proof runs from the submission: it fetches and compiles the component, makes keys and proves. So does
//! that of the second worker, which has never had anything; its time stands over both of the first's.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use aureole_client::Client;
use aureole_client::rest::{TaskRequest, TaskState};
use aureole_merkle::Merkle;
use aureole_tests::cluster::{Cluster, Layout};
use aureole_tests::{Native, Node, PATIENCE, merkle_input, params_afresh, plugin};
use serde_json::{Value, json};

use crate::figures::{median, rounded};

/// The longest that a node lets a request wait.
const WAIT: Duration = Duration::from_secs(60);

/// How often workers are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Milliseconds of first proofs.
struct Firsts {
    /// The first worker's, from the upload.
    uploaded: f64,
    /// The first worker's without anything on its disk, from the submission.
    again: f64,
    /// The second worker's, from the submission.
    second: f64,
}

pub(crate) async fn run(rounds: u32) -> anyhow::Result<Value> {
    let component = plugin("merkle")?;
    let (mut by_hand, mut platform) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let node = Node::start()?;
        let client = node.client()?;
        let begun = Instant::now();
        node.upload(component.clone()).await?;
        let proof = proved(&client).await?;
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
    let (mut over_first, mut over_cold) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let Firsts {
            uploaded,
            again,
            second,
        } = two_workers(&component).await?;
        println!(
            "round {round}: the first worker {uploaded:.0} ms from the upload, {again:.0} ms from a submission, \
             the second {second:.0} ms from a submission"
        );
        over_first.push(second / uploaded);
        over_cold.push(second / again);
    }
    let (by_hand, platform) = (median(&by_hand)?, median(&platform)?);
    Ok(json!({
        "bench": "cold-start",
        "rounds": rounds,
        "by_hand_ms": rounded(by_hand),
        "platform_ms": rounded(platform),
        "ratio": rounded(platform / by_hand),
        "second_worker_over_first": rounded(median(&over_first)?),
        "second_worker_over_cold_first": rounded(median(&over_cold)?),
    }))
}

/// First proofs of two workers of a new cluster, of which never more than one runs.
async fn two_workers(component: &[u8]) -> anyhow::Result<Firsts> {
    let layout = Layout {
        workers: 2,
        threads: u32::try_from(std::thread::available_parallelism()?.get())?,
        log: "warn",
        ..Layout::default()
    };
    let mut cluster = Cluster::start(layout).await?;
    let client = cluster.client(&cluster.leader().await?)?;
    let (one, other) = match cluster.workers().as_slice() {
        [one, other] => (one.clone(), other.clone()),
        _ => bail!("a cluster of two workers was started"),
    };
    cluster.server_mut(&other)?.kill()?;
    until_joined(&client, 1).await?;
    let begun = Instant::now();
    cluster.upload(component.to_vec()).await?;
    proved(&client).await?;
    let uploaded = begun.elapsed().as_secs_f64() * 1e3;
    cluster.server_mut(&one)?.kill()?;
    until_joined(&client, 0).await?;
    fs::remove_dir_all(cluster.server(&one)?.data_dir())?;
    let again = alone(&mut cluster, &client, &one).await?;
    cluster.server_mut(&one)?.kill()?;
    until_joined(&client, 0).await?;
    let second = alone(&mut cluster, &client, &other).await?;
    Ok(Firsts {
        uploaded,
        again,
        second,
    })
}

/// Starts a worker, which is the only one; milliseconds from a submission to its first proof.
async fn alone(cluster: &mut Cluster, client: &Client, worker: &str) -> anyhow::Result<f64> {
    cluster.start_server(worker)?;
    until_joined(client, 1).await?;
    let begun = Instant::now();
    proved(client).await?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

/// Waits until so many workers are joined.
async fn until_joined(client: &Client, workers: usize) -> anyhow::Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let all = client.workers().await?.workers;
        if all.iter().filter(|worker| worker.joined).count() == workers {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("{workers} workers were waited for, in vain")
}

/// Submits a proof of the plugin's default circuit and waits until it is in hand.
async fn proved(client: &Client) -> anyhow::Result<Vec<u8>> {
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
    Ok(client.proof(&task.id).await?.into())
}

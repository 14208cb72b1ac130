//! Threat 23: one tenant sends junk to be verified, as much as it can, while others ask and prove.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, ensure};
use aureole_client::rest::{Role, Sharing};
use aureole_tests::{Node, Options, http, key_of, preimage_input};
use serde_json::{Value, json};

use crate::neighbour::is_unharmed;

/// Connections that send junk at the same time: two more than a tenant finds places.
const CONNECTIONS: usize = 10;

/// Proofs of a batch: each takes the verifier milliseconds, all of them half a second.
const BATCH: usize = 16;

/// Verdicts that a neighbour asks for meanwhile, and proofs that are made.
const NEIGHBOURS: u64 = 2;

/// Asks for a verdict under a key.
fn verify(url: &str, key: &str, path: &str, body: &str) -> anyhow::Result<http::Answer> {
    let bearer = format!("Bearer {key}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    http::send(url, "POST", path, &headers, body.as_bytes())
}

/// Sends the same junk until told to stop, and counts the answers by their status.
fn flood(
    url: &str,
    key: &str,
    junk: &str,
    stop: &AtomicBool,
) -> anyhow::Result<BTreeMap<u16, u32>> {
    let mut answers = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        let answer = verify(url, key, "/api/v1/proofs/verify:batch", junk)?;
        match answer.status {
            200 => ensure!(answer.json()?["valid"] == false, "junk is valid"),
            503 => {
                ensure!(answer.json()?["code"] == "node.busy", "{answer:?}");
                ensure!(answer.header("retry-after").is_some(), "{answer:?}");
            }
            _ => anyhow::bail!("junk was answered {answer:?}"),
        }
        *answers.entry(answer.status).or_default() += 1;
    }
    Ok(answers)
}

/// A neighbour's verdict and a proof, over and over; each is good and none is told to wait.
fn works(url: &str, key: &str, claim: &Value) -> anyhow::Result<()> {
    for number in 0..NEIGHBOURS {
        let answer = verify(url, key, "/api/v1/proofs/verify", &claim.to_string())?;
        ensure!(
            answer.status == 200 && answer.json()?["valid"] == true,
            "the neighbour's verdict: {answer:?}"
        );
        let input = preimage_input(number).to_string();
        let answer = http::post_json(url, "/api/v1/tasks/preimage?wait=60s", &input)?;
        ensure!(
            answer.json()?["state"] == "done",
            "the neighbour's proof: {answer:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn junk_of_one_tenant_keeps_no_other_from_a_verdict_nor_from_a_proof() -> anyhow::Result<()> {
    let options = Options {
        unlimited: true,
        ..Options::default()
    };
    let node = Node::start_with(options)?.having(&["preimage"]).await?;
    let client = node.client()?;
    client.share_plugin("preimage", &Sharing::Public).await?;
    let task = client.submit_to("preimage", &preimage_input(1)).await?;
    node.done(&task.id).await?;
    let task = http::get(node.url(), &format!("/api/v1/tasks/{}", task.id))?.json()?;
    let (circuit, proof) = (&task["circuit"], &task["proof"]["base64"]);
    let proof = proof.as_str().context("no proof")?;
    // Another first point: as long as a proof, and none.
    let junk = format!("AAAA{}", &proof[4..]);
    let junk = json!({"public_inputs": task["public_inputs"], "proof": junk});
    let junk = json!({"circuit": circuit, "proofs": vec![junk; BATCH]}).to_string();
    let claim = json!({"circuit": circuit, "public_inputs": task["public_inputs"], "proof": proof});
    let hostile = key_of(node.url(), "hostile", Role::Submitter).await?.secret;
    let beside = key_of(node.url(), "beside", Role::Submitter).await?.secret;
    let stop = AtomicBool::new(false);
    let (answers, worked) = thread::scope(|scope| {
        let floods: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| flood(node.url(), &hostile, &junk, &stop)))
            .collect();
        let worked = works(node.url(), &beside, &claim);
        stop.store(true, Ordering::Relaxed);
        let floods = floods.into_iter().map(|flood| flood.join());
        (floods.collect::<Vec<_>>(), worked)
    });
    worked?;
    let mut all = BTreeMap::new();
    for counted in answers {
        for (status, count) in counted.map_err(|_| anyhow::anyhow!("a flood panicked"))?? {
            *all.entry(status).or_insert(0) += count;
        }
    }
    eprintln!("{BATCH} proofs of junk at a time were answered by status: {all:?}");
    ensure!(
        all.contains_key(&200) && all.contains_key(&503),
        "there was no flood: {all:?}"
    );
    is_unharmed(&node)
}

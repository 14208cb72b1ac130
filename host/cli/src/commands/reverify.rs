//! `aureole admin reverify`: the proofs of a circuit, verified again by the node as it is now.
//!
//! For after a fault of a verifier was found and mended: what an earlier build let pass is named, in the
//! ledger and in history alike. Nothing is changed; a key that let wrong proofs pass is revoked by hand.

use std::time::Duration;

use anyhow::{Context as _, bail};
use aureole_client::rest::{Task, TaskState, Verdict, VerifyRequest};
use aureole_client::{Client, TaskQuery};
use serde::Serialize;

use super::Context;
use crate::{print, progress};

/// Tasks asked for at a time: the largest page.
const PAGE: u32 = 200;

/// What came of it.
#[derive(Debug, Default, Serialize)]
struct Report {
    circuit: String,
    /// Proofs that were verified.
    verified: u64,
    /// Those of them that do not verify.
    invalid: Vec<Invalid>,
}

/// A proof that does not verify.
#[derive(Debug, Serialize)]
struct Invalid {
    task: String,
    reason: String,
}

/// Verifies every proof of a circuit that the caller may see. One that does not hold is an error.
pub(super) async fn run(context: &Context, circuit: &str) -> anyhow::Result<()> {
    let client = context.client()?;
    let plugin = client.circuit(circuit, Duration::ZERO).await?.component;
    let spinner = progress::spinner(context.output, "verifying again");
    let mut report = Report {
        circuit: circuit.to_owned(),
        ..Report::default()
    };
    let mut query = TaskQuery {
        state: Some(TaskState::Done),
        plugin: Some(plugin),
        limit: Some(PAGE),
        ..TaskQuery::default()
    };
    loop {
        let page = client.tasks(&query).await?;
        let of_circuit = |task: &&Task| task.circuit.as_deref() == Some(circuit);
        for task in page.tasks.iter().filter(of_circuit) {
            let verdict = verify(&client, circuit, &task.id).await;
            let verdict = verdict.with_context(|| format!("the proof of {}", task.id))?;
            report.verified += 1;
            // A revoked key makes no proof wrong.
            if let Some(reason) = verdict.reason {
                let task = task.id.clone();
                report.invalid.push(Invalid { task, reason });
            }
            spinner.set_message(format!(
                "verified {} again, {} do not verify",
                report.verified,
                report.invalid.len()
            ));
        }
        match page.next {
            Some(next) => query.before = Some(next),
            None => break,
        }
    }
    spinner.finish_and_clear();
    print::result(context.output, &report, |report| {
        for Invalid { task, reason } in &report.invalid {
            print::line(format_args!("{task}  {reason}"));
        }
        print::line(format_args!("{} proofs verified again", report.verified));
    })?;
    match report.invalid.len() {
        0 => Ok(()),
        count => bail!(
            "{count} of {} proofs do not verify; revoke the circuit's key if that is its doing",
            report.verified
        ),
    }
}

async fn verify(client: &Client, circuit: &str, task: &str) -> anyhow::Result<Verdict> {
    let task = client.task(task, Duration::ZERO).await?;
    let proof = task.proof.and_then(|proof| proof.base64);
    let request = VerifyRequest {
        circuit: circuit.to_owned(),
        public_inputs: task.public_inputs.context("it has no public inputs")?,
        proof: proof.context("it has no bytes")?,
    };
    Ok(client.verify(&request).await?)
}

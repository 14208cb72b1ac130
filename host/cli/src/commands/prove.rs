//! `aureole prove`: a proof from a node, written as a bundle.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use aureole_client::rest::{TaskRequest, TaskState, Timestamp};

use super::{Context, local, read_json, task};
use crate::arguments::{Deadline, Prove};
use crate::bundle::{Bundle, Manifest};
use crate::print;

/// Submits, follows, downloads.
pub(crate) async fn run(context: &Context, options: Prove) -> anyhow::Result<()> {
    let input = read_json(&options.input)?;
    let params = options.params.as_deref().map(read_json).transpose()?;
    if let Some(file) = &options.local {
        let component =
            std::fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
        return local::run(context, component, params, input, options.out.as_deref()).await;
    }
    let plugin = options
        .plugin
        .as_deref()
        .context("name a plugin, or give --local FILE.wasm")?;
    let request = TaskRequest {
        circuit: None,
        plugin: Some(
            plugin
                .parse()
                .with_context(|| format!("`{plugin}` names no plugin"))?,
        ),
        params,
        input,
        priority: options.priority,
        deadline: options.deadline.map(deadline).transpose()?,
    };
    let client = context.client()?;
    let submitted = client.submit(&request).await?;
    let task = task::follow(context, &submitted.id).await?;
    match (task.state, &task.error) {
        (TaskState::Done, _) => {}
        (_, Some(problem)) => bail!("task {}: {problem}", task.id),
        (state, None) => bail!("task {} is {state}", task.id),
    }
    if let Some(folder) = &options.out {
        download(&client, &task.id, folder).await?;
    }
    print::result(context.output, &task::without_proof(task), |task| {
        print::task(task);
        if let Some(folder) = &options.out {
            print::written(folder);
        }
    })
}

/// The instant that a deadline means.
pub(super) fn deadline(given: Deadline) -> anyhow::Result<Timestamp> {
    let from_now = match given {
        Deadline::At(instant) => return Ok(instant),
        Deadline::In(from_now) => from_now,
    };
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("this machine's clock stands before 1970")?;
    let millis = since.saturating_add(from_now).as_millis();
    Ok(Timestamp::from_millis(u64::try_from(millis)?))
}

/// Writes a done task's bundle.
pub(super) async fn download(
    client: &aureole_client::Client,
    task: &str,
    folder: &Path,
) -> anyhow::Result<()> {
    let downloaded = client.bundle(task).await?;
    let public_inputs = downloaded.task.public_inputs.unwrap_or_default();
    let mut manifest = Manifest::new(
        downloaded.circuit.plugin.unwrap_or_default(),
        downloaded.circuit.circuit_digest.unwrap_or_default(),
        downloaded.circuit.key_digest.unwrap_or_default(),
        public_inputs
            .into_iter()
            .map(|(name, values)| (name, values.texts().to_vec()))
            .collect(),
    );
    manifest.revoked = downloaded.revoked;
    let bundle = Bundle {
        manifest,
        circuit: downloaded.circuit_bytes.to_vec(),
        proof: downloaded.proof.to_vec(),
    };
    bundle.write(folder)
}

//! `aureole receipts`: what was accepted, shown by the log to anybody who has its key.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use aureole_client::Client;
use aureole_receipts::{
    AuditError, AuditReport, Checkpoint, Digest, Receipt, Tile, TileReader, TrustedKeys, audit,
    verify_consistency, verify_inclusion,
};
use aureole_store::TileFolder;
use serde_json::json;
use tokio::runtime::Handle;

use super::Context;
use crate::arguments::Receipts;
use crate::bundle::Bundle;
use crate::print;

/// The log of a node, read tile by tile.
struct NodeLog {
    client: Client,
    handle: Handle,
}

impl TileReader for NodeLog {
    type Error = aureole_client::Error;

    fn read(&self, tile: &Tile) -> Result<Option<Vec<u8>>, aureole_client::Error> {
        let read = self
            .handle
            .block_on(self.client.log_tile(&tile.to_string()));
        Ok(read?.map(|bytes| bytes.to_vec()))
    }
}

/// Runs the verb; what does not hold is an answer with exit code 1.
pub(crate) async fn run(context: &Context, verb: Receipts) -> anyhow::Result<ExitCode> {
    match verb {
        Receipts::Show { id, out } => show(context, &id, out.as_deref()).await?,
        Receipts::Verify { file, key, bundle } => {
            return verify(context, &file, &key, bundle.as_deref());
        }
        Receipts::Audit {
            folder,
            key,
            since,
            keep,
        } => {
            let trusted = trusted(&key)?;
            return walk(
                context,
                folder.as_deref(),
                trusted,
                since.as_deref(),
                keep.as_deref(),
            )
            .await;
        }
        Receipts::Consistency {
            checkpoint,
            key,
            keep,
        } => return consistency(context, &checkpoint, &key, keep.as_deref()).await,
        Receipts::Inclusion { file, key } => return inclusion(context, &file, &key).await,
        Receipts::Checkpoint => text(&context.client()?.log_checkpoint().await?)?,
        Receipts::Key => text(&context.client()?.log_key().await?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn text(bytes: &[u8]) -> anyhow::Result<()> {
    let text = std::str::from_utf8(bytes).context("the node answered with no text")?;
    print::line(text.trim_end_matches('\n'));
    Ok(())
}

/// The keys whose word counts.
fn trusted(keys: &[String]) -> anyhow::Result<TrustedKeys> {
    let parsed = keys.iter().map(|key| {
        key.trim()
            .parse()
            .with_context(|| format!("{} is no key of a log", key.escape_debug()))
    });
    let keys = parsed.collect::<anyhow::Result<_>>()?;
    Ok(TrustedKeys::new(keys)?)
}

async fn show(context: &Context, id: &str, out: Option<&Path>) -> anyhow::Result<()> {
    let receipt = context.client()?.receipt(id).await?;
    let text = serde_json::to_string_pretty(&receipt)?;
    // Read as what it is to be: whoever keeps it finds out now.
    Receipt::from_json(&text).context("the node answered with no receipt")?;
    let Some(file) = out else {
        print::line(text);
        return Ok(());
    };
    write(file, text.as_bytes())?;
    print::result(context.output, &json!({ "receipt": file }), |_| {
        print::line(format_args!("receipt written to {}", file.display()));
    })
}

fn verify(
    context: &Context,
    file: &Path,
    keys: &[String],
    bundle: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let trusted = trusted(keys)?;
    let receipt = Receipt::from_json(&read(file)?)
        .with_context(|| format!("{} is no receipt", file.display()))?;
    let bundle = bundle.map(Bundle::read).transpose()?;
    let held = receipt
        .verify(&trusted)
        .map_err(anyhow::Error::from)
        .and_then(|verified| {
            bundle
                .as_ref()
                .map_or(Ok(()), |bundle| is_of(&receipt, bundle))?;
            Ok(verified)
        });
    let leaf = &receipt.leaf;
    let document = json!({
        "valid": held.is_ok(),
        "reason": held.as_ref().err().map(|error| format!("{error:#}")),
        "origin": held.as_ref().ok().map(|verified| &verified.origin),
        "size": held.as_ref().ok().map(|verified| verified.head.size),
        "index": receipt.index,
        "leaf": leaf,
    });
    print::result(context.output, &document, |_| match &held {
        Ok(verified) => {
            print::line("valid");
            print::line(format_args!(
                "  log        {}, leaf {} of {}",
                verified.origin, receipt.index, verified.head.size
            ));
            print::line(format_args!("  task       {}", leaf.task));
            print::line(format_args!("  circuit    {}", leaf.circuit));
            print::line(format_args!("  key        {}", leaf.key));
            print::line(format_args!("  proof      {}", leaf.proof));
            if let Some(opening) = &receipt.opening {
                print::line(format_args!("  inputs     {}", opening.public_inputs));
                print::line(format_args!("  verifier   {}", opening.verifier));
            }
        }
        Err(error) => print::line(format_args!("NOT valid: {error:#}")),
    })?;
    Ok(code(held.is_ok()))
}

/// Checks that a receipt is of the proof in a bundle.
fn is_of(receipt: &Receipt, bundle: &Bundle) -> anyhow::Result<()> {
    let leaf = &receipt.leaf;
    let same = |what: &str, found: String, expected: &Digest| {
        ensure!(
            found == expected.to_string(),
            "the bundle's {what} is {found}, the receipt is of {expected}"
        );
        Ok(())
    };
    same("proof", Digest::of(&bundle.proof).to_string(), &leaf.proof)?;
    same(
        "circuit",
        Digest::of(&bundle.circuit).to_string(),
        &leaf.circuit,
    )?;
    same("key", bundle.manifest.key_digest.clone(), &leaf.key)?;
    let Some(opening) = &receipt.opening else {
        bail!("the receipt does not open its public inputs, so it shows nothing of the bundle's");
    };
    let circuit =
        aureole_ir::Circuit::decode(&bundle.circuit).context("circuit.bin is no circuit")?;
    let inputs = Digest::of(&bundle.manifest.flat_public_inputs(&circuit)?).to_string();
    same("public inputs", inputs, &opening.public_inputs)
}

async fn walk(
    context: &Context,
    folder: Option<&Path>,
    trusted: TrustedKeys,
    since: Option<&Path>,
    keep: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let earlier = match since {
        Some(file) => Some(Checkpoint::open(&read(file)?, &trusted)?.checkpoint),
        None => None,
    };
    let (note, found) = match folder {
        Some(folder) => {
            let log = TileFolder::new(folder);
            let note = log.checkpoint()?;
            let note = note.with_context(|| format!("{} has no checkpoint", folder.display()))?;
            let found = audited(&log, &note, &trusted, earlier.as_ref());
            (note, found)
        }
        None => {
            let client = context.client()?;
            let note = String::from_utf8(client.log_checkpoint().await?.to_vec())
                .context("the node's checkpoint is no text")?;
            let handle = Handle::current();
            let asked = note.clone();
            let found = tokio::task::spawn_blocking(move || {
                let log = NodeLog { client, handle };
                audited(&log, &asked, &trusted, earlier.as_ref())
            });
            (note, found.await?)
        }
    };
    if let (Some(file), Ok(_)) = (keep, &found) {
        write(file, note.as_bytes())?;
    }
    let document = json!({
        "consistent": found.is_ok(),
        "reason": found.as_ref().err().map(|error| format!("{error:#}")),
        "leaves": found.as_ref().ok().map(|report| report.head.size),
        "root": found.as_ref().ok().map(|report| report.head.root.to_string()),
        "since": found.as_ref().ok().map(|report| report.earlier),
        "tiles": found.as_ref().ok().map(|report| report.tiles),
    });
    print::result(context.output, &document, |_| match &found {
        Ok(report) => print::line(format_args!(
            "consistent: {} leaves in {} tiles, root {}; continues a checkpoint of {}",
            report.head.size, report.tiles, report.head.root, report.earlier
        )),
        Err(error) => print::line(format_args!("NOT consistent: {error:#}")),
    })?;
    Ok(code(found.is_ok()))
}

fn audited<R: TileReader>(
    log: &R,
    note: &str,
    trusted: &TrustedKeys,
    earlier: Option<&Checkpoint>,
) -> anyhow::Result<AuditReport>
where
    AuditError<R::Error>: Send + Sync,
{
    let checkpoint = Checkpoint::open(note, trusted)?.checkpoint;
    Ok(audit(log, &checkpoint, earlier)?)
}

async fn consistency(
    context: &Context,
    earlier: &Path,
    keys: &[String],
    keep: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let trusted = trusted(keys)?;
    let old = *Checkpoint::open(&read(earlier)?, &trusted)?
        .checkpoint
        .head();
    let proof = context.client()?.log_consistency(old.size, None).await?;
    let new = Checkpoint::open(&proof.checkpoint, &trusted)?;
    let new = *new.checkpoint.head();
    let hashes: Result<Vec<_>, _> = proof.hashes.iter().map(|hash| hash.parse()).collect();
    let held = verify_consistency(&old, &new, &hashes?);
    if let (Some(file), Ok(())) = (keep, &held) {
        write(file, proof.checkpoint.as_bytes())?;
    }
    let document = json!({
        "consistent": held.is_ok(),
        "reason": held.as_ref().err().map(ToString::to_string),
        "from": old.size,
        "to": new.size,
    });
    print::result(context.output, &document, |_| match &held {
        Ok(()) => print::line(format_args!(
            "consistent: the log of {} leaves continues the one of {}",
            new.size, old.size
        )),
        Err(error) => print::line(format_args!("NOT consistent: {error}")),
    })?;
    Ok(code(held.is_ok()))
}

async fn inclusion(context: &Context, file: &Path, keys: &[String]) -> anyhow::Result<ExitCode> {
    let trusted = trusted(keys)?;
    let receipt = Receipt::from_json(&read(file)?)
        .with_context(|| format!("{} is no receipt", file.display()))?;
    let index = receipt.index;
    let proof = context.client()?.log_inclusion(index, None).await?;
    let head = *Checkpoint::open(&proof.checkpoint, &trusted)?
        .checkpoint
        .head();
    let hashes: Result<Vec<_>, _> = proof.hashes.iter().map(|hash| hash.parse()).collect();
    let held = verify_inclusion(&receipt.leaf.hash(), index, &hashes?, &head);
    let document = json!({
        "included": held.is_ok(),
        "reason": held.as_ref().err().map(ToString::to_string),
        "index": index,
        "size": head.size,
        "root": head.root.to_string(),
    });
    print::result(context.output, &document, |_| match &held {
        Ok(()) => print::line(format_args!(
            "included: the receipt's leaf is leaf {index} of {}",
            head.size
        )),
        Err(error) => print::line(format_args!("NOT included: {error}")),
    })?;
    Ok(code(held.is_ok()))
}

fn code(held: bool) -> ExitCode {
    match held {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(file, bytes).with_context(|| format!("could not write {}", file.display()))
}

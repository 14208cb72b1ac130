//! `aureole verify`: bundles against their own circuits, with no node and no network; or on a node.

mod on_node;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use aureole_client::rest::Revocation;
use aureole_ir::{Circuit, Limits};
use aureole_prover::{Halo2Ipa, K_MAX, ParamsDir, Verdict};
use serde::Serialize;
use serde_json::json;

use super::Context;
use crate::arguments::Verify;
use crate::bundle::Bundle;
use crate::workbench::params_dir;
use crate::{print, progress};

/// What is said of a bundle.
#[derive(Debug, Serialize)]
struct Judged {
    valid: bool,
    revoked: Option<Revocation>,
    reason: Option<String>,
    plugin: String,
    key_digest: String,
    public_inputs: BTreeMap<String, Vec<String>>,
}

/// Verifies; a proof that does not hold is an answer with exit code 1, not an error.
pub(crate) async fn run(context: &Context, options: &Verify) -> anyhow::Result<ExitCode> {
    let bundles: anyhow::Result<Vec<Bundle>> = options
        .bundles
        .iter()
        .map(|dir| Bundle::read(dir))
        .collect();
    let bundles = bundles?;
    let judged = if options.on_node {
        on_node::judge(context, options, bundles).await?
    } else {
        let each = bundles.into_iter().zip(&options.bundles);
        let judged = each.map(|(bundle, dir)| {
            let judged = here(context, bundle, options.key.as_deref());
            // Which one it is goes without saying while there is one.
            match options.bundles.len() {
                1 => judged,
                _ => judged.with_context(|| dir.display().to_string()),
            }
        });
        judged.collect::<anyhow::Result<_>>()?
    };
    show(context, options, &judged)
}

fn show(context: &Context, options: &Verify, judged: &[Judged]) -> anyhow::Result<ExitCode> {
    let valid = judged.iter().all(|one| one.valid);
    if let [one] = judged {
        print::result(context.output, one, in_full)?;
    } else {
        let document = json!({"valid": valid, "verdicts": judged});
        print::result(context.output, &document, |_| {
            for (dir, one) in options.bundles.iter().zip(judged) {
                in_short(dir, one);
            }
        })?;
    }
    Ok(match valid {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn in_full(judged: &Judged) {
    if !judged.valid {
        let reason = judged.reason.as_deref().unwrap_or_default();
        print::line(format_args!("NOT valid: {reason}"));
        return;
    }
    print::line("valid");
    print::line(format_args!("  key        {}", judged.key_digest));
    for (name, values) in &judged.public_inputs {
        print::line(format_args!("  public     {name} = {}", values.join(", ")));
    }
}

fn in_short(dir: &Path, judged: &Judged) {
    let dir = dir.display();
    match judged.valid {
        true => print::line(format_args!("valid  {dir}")),
        false => {
            let reason = judged.reason.as_deref().unwrap_or_default();
            print::line(format_args!("NOT valid  {dir}: {reason}"));
        }
    }
}

/// Refuses a key that is not the one asked for.
fn check_key(key: &str, wanted: Option<&str>) -> anyhow::Result<()> {
    ensure!(
        wanted.is_none_or(|wanted| wanted == key),
        "the bundle's key is {key}, not the one asked for"
    );
    Ok(())
}

/// Verifies on this machine.
fn here(context: &Context, bundle: Bundle, wanted: Option<&str>) -> anyhow::Result<Judged> {
    let circuit = Circuit::decode(&bundle.circuit).context("circuit.bin is no circuit")?;
    // Whoever verifies chose the bundle; only what the prover itself cannot do is refused.
    let limits = Limits {
        k_max: K_MAX,
        ..Limits::default()
    };
    let circuit = circuit
        .check(&limits)
        .context("the bundle's circuit is refused")?;
    let manifest = bundle.manifest;
    ensure!(
        circuit.digest().to_string() == manifest.circuit_digest,
        "circuit.bin has the digest {}, bundle.json says {}",
        circuit.digest(),
        manifest.circuit_digest.escape_debug()
    );
    let public_inputs = manifest.flat_public_inputs(circuit.circuit())?;
    let spinner = progress::spinner(context.output, "rebuilding the verifying key");
    let prover = Halo2Ipa::new(ParamsDir::open(params_dir()?)?, 0);
    let keys = prover.verifying(&circuit)?;
    let key = keys.key_digest().to_string();
    ensure!(
        key == manifest.key_digest,
        "the circuit's key is {key}, bundle.json says {}: another version of the prover, or a \
         bundle that was tampered with",
        manifest.key_digest.escape_debug()
    );
    check_key(&key, wanted)?;
    let verdict = prover.verify(&circuit, &public_inputs, &bundle.proof)?;
    spinner.finish_and_clear();
    let reason = match &verdict {
        Verdict::Valid => manifest.revoked.as_ref().map(revocation),
        Verdict::Invalid { reason } => Some(reason.to_string()),
    };
    Ok(Judged {
        valid: verdict.is_valid() && manifest.revoked.is_none(),
        revoked: manifest.revoked,
        reason,
        plugin: manifest.plugin,
        key_digest: key,
        public_inputs: manifest.public_inputs,
    })
}

fn revocation(revoked: &Revocation) -> String {
    format!(
        "the proof verifies, but its key was revoked at {}: {}",
        revoked.at,
        revoked.reason.escape_debug()
    )
}

//! `aureole verify`: a bundle against its own circuit, with no node and no network.

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use aureole_ir::{Circuit, Limits};
use aureole_prover::{Halo2Ipa, K_MAX, ParamsDir, Verdict};
use serde_json::json;

use super::Context;
use crate::arguments::Verify;
use crate::bundle::Bundle;
use crate::workbench::params_dir;
use crate::{print, progress};

/// Verifies; a proof that does not hold is an answer with exit code 1, not an error.
pub(crate) fn run(context: &Context, options: &Verify) -> anyhow::Result<ExitCode> {
    let bundle = Bundle::read(&options.bundle)?;
    let circuit = Circuit::decode(&bundle.circuit).context("circuit.bin is no circuit")?;
    // Whoever verifies chose the bundle; only what the prover itself cannot do is refused.
    let limits = Limits {
        k_max: K_MAX,
        ..Limits::default()
    };
    let circuit = circuit
        .check(&limits)
        .context("the bundle's circuit is refused")?;
    let manifest = &bundle.manifest;
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
    if let Some(wanted) = &options.key {
        ensure!(
            key == *wanted,
            "the bundle's key is {key}, not the one asked for"
        );
    }
    let verdict = prover.verify(&circuit, &public_inputs, &bundle.proof)?;
    spinner.finish_and_clear();
    let valid = verdict.is_valid() && manifest.revoked.is_none();
    let reason = match &verdict {
        Verdict::Valid => manifest.revoked.as_ref().map(|revoked| {
            format!(
                "the proof verifies, but its key was revoked at {}: {}",
                revoked.at,
                revoked.reason.escape_debug()
            )
        }),
        Verdict::Invalid { reason } => Some(reason.to_string()),
    };
    let document = json!({
        "valid": valid,
        "revoked": manifest.revoked,
        "reason": reason,
        "plugin": manifest.plugin,
        "key_digest": key,
        "public_inputs": manifest.public_inputs,
    });
    print::result(context.output, &document, |_| match &reason {
        None => {
            print::line("valid");
            print::line(format_args!("  key        {key}"));
            for (name, values) in &manifest.public_inputs {
                print::line(format_args!("  public     {name} = {}", values.join(", ")));
            }
        }
        Some(reason) => print::line(format_args!("NOT valid: {reason}")),
    })?;
    Ok(if valid {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

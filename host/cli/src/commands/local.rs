//! `aureole prove --local`: the same sandbox, prover and verifier as a node's, with no node.

use std::path::Path;

use anyhow::{Context as _, bail};
use aureole_ir::{Circuit, Limits};
use aureole_prover::Values;
use aureole_store::Secret;
use serde_json::{Value, json};

use super::{Context, unsatisfied};
use crate::arguments::Output;
use crate::bundle::{Bundle, Manifest, named_public_inputs};
use crate::workbench::Workbench;
use crate::{print, progress};

/// Proves an input with a component on this machine.
pub(crate) async fn run(
    context: &Context,
    component: Vec<u8>,
    params: Option<Value>,
    input: Value,
    out: Option<&Path>,
) -> anyhow::Result<()> {
    aureole_runtime::scan(&component, &aureole_runtime::Limits::default())
        .context("the component is no plugin")?;
    let bench = Workbench::open()?;
    let component = bench.depot.put(component).await?;
    let spinner = progress::spinner(context.output, "compiling the component");
    let described = bench.sandboxes.describe(&component).await?.value;
    let Some(params) = params.or(described.default_params) else {
        bail!(
            "plugin {} has no default parameters: give --params FILE",
            described.name
        );
    };
    let params = params.to_string().into_bytes();

    spinner.set_message("recording the circuit");
    let circuit_bytes = bench.sandboxes.circuit(&component, &params).await?.value;
    let circuit = Circuit::decode(&circuit_bytes)
        .context("the plugin's circuit does not read")?
        .check(&Limits::default())
        .context("the plugin's circuit is refused")?;
    spinner.set_message("making keys");
    let prepared = bench.provers.prepare(&circuit_bytes).await?;
    let digest = bench.depot.put(circuit_bytes.clone()).await?;

    spinner.set_message("witness");
    let input = Secret::new(input.to_string().into_bytes());
    let witness = bench.sandboxes.witness(&component, &params, &input).await?;
    let stages = spinner.clone();
    let proved = bench
        .provers
        .prove(&digest, &witness.value, move |stage| {
            stages.set_message(stage.name())
        })
        .await?;
    let proved = match proved {
        Ok(proved) => proved,
        Err(unsatisfied) => {
            let names = bench.sandboxes.annotate(&component, &params).await?.value;
            let mut session = bench.provers.open(&digest).await?;
            let named = session
                .diagnose(&names, &witness.value, Values::Hidden)
                .await?;
            let broken = named.err().unwrap_or(unsatisfied);
            spinner.finish_and_clear();
            if context.output == Output::Text {
                let failures = unsatisfied::failures(&broken.0);
                unsatisfied::print(&failures, broken.0.more, Some(circuit.circuit()));
            }
            bail!("{}", broken.to_problem())
        }
    };
    spinner.set_message("verify");
    let (verdict, took) = bench
        .verifier
        .verify(&digest, &proved.public_inputs, &proved.proof)
        .await?;
    spinner.finish_and_clear();
    anyhow::ensure!(
        verdict.is_valid(),
        "the proof that was made does not verify"
    );

    let public_inputs = named_public_inputs(circuit.circuit(), &proved.public_inputs);
    let plugin = format!("{}@{}", described.name, described.version);
    let document = json!({
        "plugin": plugin,
        "circuit_digest": prepared.circuit_digest,
        "key_digest": prepared.key_digest,
        "public_inputs": public_inputs,
        "proof_bytes": proved.proof.len(),
        "timings_ms": {
            "witness": witness.took.as_secs_f64() * 1000.0,
            "check": proved.check.as_secs_f64() * 1000.0,
            "keygen": proved.keygen.as_secs_f64() * 1000.0,
            "prove": proved.prove.as_secs_f64() * 1000.0,
            "verify": took.as_secs_f64() * 1000.0,
        },
    });
    if let Some(folder) = out {
        let manifest = Manifest::new(
            plugin,
            prepared.circuit_digest,
            prepared.key_digest,
            public_inputs,
        );
        Bundle {
            manifest,
            circuit: circuit_bytes,
            proof: proved.proof,
        }
        .write(folder)?;
    }
    print::result(context.output, &document, |document| {
        print::line(serde_json::to_string_pretty(document).unwrap_or_default());
        if let Some(folder) = out {
            let folder = folder.display();
            print::line(format_args!(
                "bundle written; verify it with `aureole verify {folder}`"
            ));
        }
    })
}

//! A component's circuit on this machine: recorded in a node's sandbox, checked, with names.
//!
//! No code of the plugin runs outside the sandbox, and no native build of it is needed.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use aureole_ir::{Annotations, CheckedCircuit, Circuit, Limits, Witness};
use aureole_prover::K_MAX;
use aureole_runtime::Description;
use aureole_store::{Digest, Secret};
use serde_json::Value;

use super::{Context, read_json};
use crate::progress;
use crate::workbench::Workbench;

/// A circuit and what it takes to compute its witness.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) bench: Workbench,
    pub(crate) description: Description,
    pub(crate) circuit: CheckedCircuit,
    pub(crate) bytes: Vec<u8>,
    pub(crate) annotations: Annotations,
    component: Digest,
    params: Vec<u8>,
}

// === impl Recorded ===

impl Recorded {
    /// Records the circuit of a component's file.
    pub(crate) async fn open(
        context: &Context,
        component: &Path,
        params: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let bytes = fs::read(component)
            .with_context(|| format!("could not read {}", component.display()))?;
        aureole_runtime::scan(&bytes, &aureole_runtime::Limits::default())
            .with_context(|| format!("{} is no plugin", component.display()))?;
        let params = params.map(read_json).transpose()?;
        let bench = Workbench::open()?;
        let component = bench.depot.put(bytes).await?;
        let spinner = progress::spinner(context.output, "compiling the component");
        let description = bench.sandboxes.describe(&component).await?.value;
        let Some(params) = params.or_else(|| description.default_params.clone()) else {
            bail!(
                "plugin {} has no default parameters: give --params FILE",
                description.name
            );
        };
        let params = params.to_string().into_bytes();
        spinner.set_message("recording the circuit");
        let bytes = bench.sandboxes.circuit(&component, &params).await?.value;
        let annotations = bench.sandboxes.annotate(&component, &params).await?.value;
        spinner.finish_and_clear();
        // Looking costs little: what the prover could do at all may be looked at.
        let limits = Limits {
            k_max: K_MAX,
            ..Limits::default()
        };
        let circuit = Circuit::decode(&bytes)
            .context("the plugin's circuit does not read")?
            .check(&limits)
            .context("the plugin's circuit is refused")?;
        let annotations =
            Annotations::decode(&annotations).context("the names of the regions do not read")?;
        Ok(Self {
            bench,
            description,
            circuit,
            bytes,
            annotations,
            component,
            params,
        })
    }

    /// `name@version`.
    pub(crate) fn label(&self) -> String {
        format!("{}@{}", self.description.name, self.description.version)
    }

    /// The witness of an input.
    pub(crate) async fn witness(&self, input: &Value) -> anyhow::Result<Witness> {
        let input = Secret::new(input.to_string().into_bytes());
        let made = self
            .bench
            .sandboxes
            .witness(&self.component, &self.params, &input)
            .await?;
        let witness = Witness::decode(made.value.expose()).context("the witness does not read")?;
        self.circuit.check_witness(&witness)?;
        Ok(witness)
    }
}

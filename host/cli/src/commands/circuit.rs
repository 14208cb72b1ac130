//! `aureole circuit show`.

use std::time::Duration;

use anyhow::Context as _;
use aureole_client::rest::CircuitRequest;

use super::{Context, read_json};
use crate::arguments::Circuit;
use crate::{print, progress};

/// How long to wait for a circuit's keys; the most a node lets a request wait.
const PREPARATION_WAIT: Duration = Duration::from_secs(60);

/// Shows a circuit by its id, or a plugin's circuit, which is prepared if it is new.
pub(crate) async fn run(context: &Context, verb: Circuit) -> anyhow::Result<()> {
    let Circuit::Show { circuit, params } = verb;
    let client = context.client()?;
    let spinner = progress::spinner(context.output, "preparing the circuit");
    let shown = if circuit.starts_with("cir_") {
        anyhow::ensure!(
            params.is_none(),
            "--params goes with a plugin; a circuit has its own"
        );
        client.circuit(&circuit, PREPARATION_WAIT).await?
    } else {
        let request = CircuitRequest {
            plugin: circuit
                .parse()
                .with_context(|| format!("`{circuit}` names no plugin"))?,
            params: params.as_deref().map(read_json).transpose()?,
        };
        client.put_circuit(&request, PREPARATION_WAIT).await?.0
    };
    spinner.finish_and_clear();
    print::result(context.output, &shown, print::circuit)
}

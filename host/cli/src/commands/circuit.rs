//! `aureole circuit`: show a circuit, check an input against it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use aureole_client::rest::{CheckReport, CheckRequest, Circuit as View, CircuitRequest};
use aureole_ir::Circuit as Recording;
use aureole_prover::{Values, explain};

use super::recorded::Recorded;
use super::{Context, read_json, unsatisfied};
use crate::arguments::Circuit;
use crate::{print, progress};

/// How long to wait for a circuit's keys; the most a node lets a request wait.
const PREPARATION_WAIT: Duration = Duration::from_secs(60);

/// Runs the verb; an input that breaks the circuit is an answer with exit code 1.
pub(crate) async fn run(context: &Context, verb: Circuit) -> anyhow::Result<ExitCode> {
    match verb {
        Circuit::Show { circuit, params } => {
            let shown = ready(context, &circuit, params.as_deref()).await?;
            print::result(context.output, &shown, print::circuit)?;
            Ok(ExitCode::SUCCESS)
        }
        Circuit::Check {
            circuit,
            input,
            params,
            reveal,
        } => check(context, &circuit, &input, params.as_deref(), reveal).await,
    }
}

/// A circuit by its id, or a plugin's circuit, which is prepared if it is new.
pub(super) async fn ready(
    context: &Context,
    circuit: &str,
    params: Option<&Path>,
) -> anyhow::Result<View> {
    let client = context.client()?;
    let spinner = progress::spinner(context.output, "preparing the circuit");
    let shown = if circuit.starts_with("cir_") {
        anyhow::ensure!(
            params.is_none(),
            "--params goes with a plugin; a circuit has its own"
        );
        client.circuit(circuit, PREPARATION_WAIT).await?
    } else {
        let request = CircuitRequest {
            plugin: circuit
                .parse()
                .with_context(|| format!("`{circuit}` names no plugin"))?,
            params: params.map(read_json).transpose()?,
        };
        client.put_circuit(&request, PREPARATION_WAIT).await?.0
    };
    spinner.finish_and_clear();
    Ok(shown)
}

async fn check(
    context: &Context,
    circuit: &str,
    input: &Path,
    params: Option<&Path>,
    reveal: bool,
) -> anyhow::Result<ExitCode> {
    let input = read_json(input)?;
    let file = PathBuf::from(circuit);
    let (report, recording) = if file.extension().is_some_and(|ending| ending == "wasm") {
        let recorded = Recorded::open(context, &file, params).await?;
        let witness = recorded.witness(&input).await?;
        let values = if reveal {
            Values::Shown
        } else {
            Values::Hidden
        };
        let result = explain(&recorded.circuit, &recorded.annotations, &witness, values);
        (
            local_report(result.err()),
            Some(recorded.circuit.circuit().clone()),
        )
    } else {
        let ready = ready(context, circuit, params).await?;
        let client = context.client()?;
        let report = client
            .check(&ready.id, &CheckRequest { input, reveal })
            .await?;
        // Formulas are a courtesy: the report stands without them.
        let bytes = client.circuit_ir(&ready.id).await.ok();
        (
            report,
            bytes.and_then(|bytes| Recording::decode(&bytes).ok()),
        )
    };
    print::result(context.output, &report, |report| {
        if report.satisfied {
            print::line("the input satisfies the circuit");
        } else {
            let code = report.code.as_deref().unwrap_or_default();
            print::line(format_args!(
                "{code}: the input does not satisfy the circuit"
            ));
            unsatisfied::print(&report.failures, report.more, recording.as_ref());
        }
    })?;
    Ok(if report.satisfied {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn local_report(broken: Option<aureole_prover::Unsatisfied>) -> CheckReport {
    let Some(broken) = broken.map(aureole_worker::Unsatisfied) else {
        return CheckReport {
            satisfied: true,
            code: None,
            failures: Vec::new(),
            more: 0,
        };
    };
    CheckReport {
        satisfied: false,
        code: Some(broken.code().to_owned()),
        failures: unsatisfied::failures(&broken.0),
        more: broken.0.more,
    }
}

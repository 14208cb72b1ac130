//! `aureole plugin check`: everything that a node would say of a component on upload.

use std::process::ExitCode;

use aureole_ir::Lint;
use aureole_runtime::{Description, ScanReport};
use aureole_worker::Problem;
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::host::{Answer, Host, Made, Schemas, nondeterministic};
use super::source::Source;
use crate::commands::{Context, read_json};
use crate::{print, progress};

/// Say what a node would say of a plugin on upload.
///
/// Looks at the component's imports, exports and size, compiles it, asks it for its description,
/// compiles its schemas, records its default circuit twice, checks that it keeps the rules of
/// circuits, and makes its keys: with a node's default limits, in a node's sandbox. Exits 0 if a
/// node would take it.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    source: Source,
    /// JSON file with parameters to check the circuit of, in place of the plugin's defaults
    #[arg(long, value_name = "FILE")]
    params: Option<std::path::PathBuf>,
}

/// What one step came to.
#[derive(Debug, Serialize)]
struct Finding {
    step: &'static str,
    ok: bool,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// The steps so far, in order.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

/// Checks and prints the list.
pub(super) async fn run(context: &Context, options: &Check) -> anyhow::Result<ExitCode> {
    let bytes = options.source.component()?;
    let params = options.params.as_deref().map(read_json).transpose()?;
    let size = bytes.len();
    let host = Host::open(bytes).await?;
    let spinner = progress::spinner(context.output, "checking");
    let mut findings = Findings::default();
    // The steps after a refusal cannot be taken; the list says so by ending there.
    let _ = steps(&host, params, &mut findings).await;
    spinner.finish_and_clear();
    let digest = host.component().to_string();
    let ok = findings.ok();
    let document = json!({"ok": ok, "sha256": digest, "bytes": size, "steps": findings.0});
    print::result(context.output, &document, |_| {
        print::line(format_args!("component {digest}, {size} bytes"));
        findings.print();
        print::line(if ok {
            "a node with default limits takes it"
        } else {
            "a node with default limits refuses it"
        });
    })?;
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Takes the steps of an inspection until one is refused.
pub(super) async fn steps(
    host: &Host,
    params: Option<Value>,
    findings: &mut Findings,
) -> Option<Description> {
    findings.take("scan", host.scan(), scanned)?;
    findings.take("compile", host.compile().await, |took| {
        format!("{} ms to machine code", took.as_millis())
    })?;
    let described = findings.take("describe", host.describe().await, |description| {
        let Description {
            name,
            version,
            summary,
            ..
        } = description;
        format!("{name}@{version}: {summary}")
    })?;
    let schemas = findings.take("schemas", Schemas::compile(&described), |_| {
        "parameters and input have a JSON Schema that compiles".to_owned()
    })?;
    let again = host
        .describe()
        .await
        .and_then(|again| same(&described, &again, "descriptions"));
    let Some(params) = params.or_else(|| described.default_params.clone()) else {
        findings.take("determinism", again, |()| {
            "two descriptions are equal".to_owned()
        })?;
        findings.take("circuit", Ok(()), |()| {
            "none: the plugin has no default parameters, and no --params are given".to_owned()
        })?;
        return Some(described);
    };
    findings.take("parameters", schemas.check_params(&params), |()| {
        params.to_string()
    })?;
    let made = findings.take("circuit", host.make(params.clone()).await, recorded)?;
    // No refusal, but what a node would show with the plugin.
    for lint in made.circuit.lints() {
        findings.warn(&lint);
    }
    findings.take("keys", Ok(()), |()| {
        let (bytes, millis) = (made.prepared.proof_bytes, made.took.as_millis());
        format!(
            "proofs have {bytes} bytes; key {} in {millis} ms",
            made.prepared.key_digest
        )
    })?;
    let recorded_again = host.record(&params).await;
    let again = again
        .and(recorded_again)
        .and_then(|again| same(&made.bytes, &again, "circuits"));
    findings.take("determinism", again, |()| {
        "two descriptions and two recordings are equal".to_owned()
    })?;
    Some(described)
}

fn same<T: PartialEq + ?Sized>(first: &T, again: &T, what: &str) -> Answer<()> {
    if first == again {
        Ok(())
    } else {
        Err(nondeterministic(what))
    }
}

fn scanned(report: &ScanReport) -> String {
    let limits = aureole_runtime::Limits::default();
    let imports = match &report.imports[..] {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    format!(
        "{} of {} bytes, contract {}, {} functions, imports: {imports}",
        report.bytes, limits.component_bytes, report.contract, report.functions
    )
}

fn recorded(made: &Made) -> String {
    let shape = made.circuit.shape();
    let inputs: Vec<String> = made
        .circuit
        .circuit()
        .public_inputs
        .iter()
        .map(|input| format!("{} ({} rows)", input.name, input.rows))
        .collect();
    format!(
        "k = {}, {} of {} rows used, {} advice columns, degree {}, public: {}",
        shape.k,
        shape.rows_used,
        shape.rows_usable,
        shape.advice_columns,
        shape.degree,
        if inputs.is_empty() {
            "nothing".to_owned()
        } else {
            inputs.join(", ")
        }
    )
}

// === impl Findings ===

impl Findings {
    /// Notes a step; its result, unless it was refused.
    fn take<T>(
        &mut self,
        step: &'static str,
        answer: Answer<T>,
        detail: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match answer {
            Ok(value) => {
                let detail = detail(&value);
                self.0.push(Finding {
                    step,
                    ok: true,
                    detail,
                    code: None,
                    path: None,
                });
                Some(value)
            }
            Err(Problem {
                code, detail, path, ..
            }) => {
                self.0.push(Finding {
                    step,
                    ok: false,
                    detail,
                    code: Some(code),
                    path,
                });
                None
            }
        }
    }

    /// Notes what is odd and accepted.
    fn warn(&mut self, lint: &Lint) {
        self.0.push(Finding {
            step: "lint",
            ok: true,
            detail: format!("{}: {}", lint.item, lint.detail),
            code: Some(lint.code.to_owned()),
            path: None,
        });
    }

    /// Whether no step was refused.
    pub(super) fn ok(&self) -> bool {
        self.0.iter().all(|finding| finding.ok)
    }

    /// The refusal that ended the list, in a sentence.
    pub(super) fn refusal(&self) -> String {
        let refused = self.0.iter().find(|finding| !finding.ok);
        refused.map_or_else(
            String::new,
            |Finding {
                 detail, code, path, ..
             }| {
                let code = code.as_deref().unwrap_or_default();
                let place = path
                    .as_deref()
                    .map(|path| format!(" at {path}"))
                    .unwrap_or_default();
                format!("{code}{place}: {detail}")
            },
        )
    }

    /// Prints a line a step, and what to do about a refusal.
    pub(super) fn print(&self) {
        for Finding {
            step,
            ok,
            detail,
            code,
            path,
        } in &self.0
        {
            let word = match (*ok, code) {
                (false, _) => "REFUSED",
                (true, Some(_)) => "warning",
                (true, None) => "ok",
            };
            let place = path
                .as_deref()
                .map(|path| format!(" at {path}"))
                .unwrap_or_default();
            let code = code
                .as_deref()
                .map(|code| format!("{code}{place}: "))
                .unwrap_or_default();
            print::line(format_args!("  {word:<8} {step:<12} {code}{detail}"));
        }
        let codes = self.0.iter().filter_map(|finding| finding.code.as_deref());
        for known in codes.filter_map(aureole_client::codes::find) {
            print::line(format_args!("           what to do: {}", known.what_to_do));
        }
    }
}

#[cfg(test)]
mod tests {
    //! What the list says. The steps themselves are told in `tests/tests/kit`.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    #[test]
    fn answers_that_differ_are_refused_as_nondeterministic() {
        let mut findings = Findings::default();
        findings.take("determinism", same("one", "other", "circuits"), |()| {
            String::new()
        });
        assert!(!findings.ok());
        let finding = findings.0.first().unwrap();
        assert_eq!(finding.code.as_deref(), Some("plugin.nondeterministic"));
        assert!(finding.detail.contains("different circuits"));
    }
}

//! `aureole plugin test`: the author's examples in the real sandbox, prover and verifier.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use aureole_worker::Problem;
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::check::{Findings, steps};
use super::examples::{self, Elements, Example, Expectation};
use super::host::{Answer, Host, Made, Schemas};
use super::source::Source;
use crate::bundle::named_public_inputs;
use crate::commands::Context;
use crate::{print, progress};

/// Try a plugin's examples: good inputs prove, bad ones are refused as expected.
///
/// Examples stand in `examples/*.json` of the crate, or in `aureole-tests.json`. Each has a `name`,
/// an `input`, perhaps `params`, and `expect`: "proves", {"proves": {NAME: ELEMENT}} or
/// {"refused": {"code": CODE, "path": POINTER}}. They run as on a node: schemas, sandbox, witness
/// check, proof, verification. Exits 0 if all came out as expected.
#[derive(Debug, Args)]
pub(crate) struct Test {
    #[command(flatten)]
    source: Source,
    /// Folder of the crate with the examples, where PATH is a component's file
    #[arg(long, value_name = "DIR", default_value = ".")]
    examples: PathBuf,
}

/// What became of an example.
#[derive(Debug, Serialize)]
struct Outcome {
    name: String,
    ok: bool,
    came_out: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
}

/// A proof's public inputs, for comparing.
type PublicInputs = BTreeMap<String, Vec<String>>;

/// A proof that was made and verified, in words, with its public inputs.
struct Proof {
    words: String,
    public_inputs: PublicInputs,
}

/// The plugin, its schemas and the circuits so far: examples with equal parameters share one.
struct Bench {
    host: Host,
    schemas: Schemas,
    default_params: Option<Value>,
    circuits: BTreeMap<String, Made>,
}

/// Runs all examples and prints what became of them.
pub(super) async fn run(context: &Context, options: &Test) -> anyhow::Result<ExitCode> {
    let folder = options.source.folder().unwrap_or(&options.examples);
    let examples = examples::read(folder)?;
    let spinner = progress::spinner(context.output, "inspecting");
    let mut bench = Bench::open(options.source.component()?).await?;
    let mut outcomes = Vec::with_capacity(examples.len());
    for example in examples {
        spinner.set_message(example.name.clone());
        let answer = bench.answer(&example).await;
        outcomes.push(judge(example, answer));
    }
    spinner.finish_and_clear();
    let good = outcomes.iter().filter(|outcome| outcome.ok).count();
    let ok = good == outcomes.len();
    let document = json!({"ok": ok, "examples": outcomes});
    print::result(context.output, &document, |_| {
        for Outcome {
            name,
            ok,
            came_out,
            expected,
        } in &outcomes
        {
            let word = if *ok { "ok" } else { "FAILED" };
            print::line(format_args!("  {word:<7} {name}: {came_out}"));
            if let Some(expected) = expected {
                print::line(format_args!("          expected: {expected}"));
            }
        }
        print::line(format_args!(
            "{good} of {} examples as expected",
            outcomes.len()
        ));
    })?;
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

// === impl Bench ===

impl Bench {
    async fn open(component: Vec<u8>) -> anyhow::Result<Self> {
        let host = Host::open(component).await?;
        let mut findings = Findings::default();
        // The default circuit is judged with the examples that use it.
        let Some(description) = steps(&host, None, &mut findings).await else {
            bail!("a node would refuse the plugin: {}", findings.refusal());
        };
        let schemas = Schemas::compile(&description)
            .map_err(|problem| anyhow::anyhow!("{problem}"))
            .context("the plugin's schemas do not compile")?;
        Ok(Self {
            host,
            schemas,
            default_params: description.default_params,
            circuits: BTreeMap::new(),
        })
    }

    /// What a node answers to an example.
    async fn answer(&mut self, example: &Example) -> Answer<Proof> {
        let params = example
            .params
            .clone()
            .or_else(|| self.default_params.clone());
        let Some(params) = params else {
            let detail = "the plugin has no default parameters: give `params`";
            return Err(Problem::new("params.required", detail));
        };
        self.schemas.check_params(&params)?;
        let key = params.to_string();
        if !self.circuits.contains_key(&key) {
            let made = self.host.make(params).await?;
            self.circuits.insert(key.clone(), made);
        }
        let Some(made) = self.circuits.get(&key) else {
            return Err(Problem::new("circuit.unknown", "the circuit was not kept"));
        };
        self.schemas.check_input(&example.input)?;
        let verified = self.host.prove(made, &example.input).await?;
        let proved = &verified.proved;
        let words = format!(
            "proved: witness {} ms, proof {} ms, {} bytes; verified in {} ms",
            verified.witness.as_millis(),
            proved.prove.as_millis(),
            proved.proof.len(),
            verified.verify.as_millis()
        );
        let public_inputs = named_public_inputs(made.circuit.circuit(), &proved.public_inputs);
        Ok(Proof {
            words,
            public_inputs,
        })
    }
}

/// Holds what came out against what was expected.
fn judge(example: Example, answer: Answer<Proof>) -> Outcome {
    let Example { name, expect, .. } = example;
    let (ok, came_out) = match (&expect, answer) {
        (Expectation::Proves(expected), Ok(proof)) => {
            let differing = differing(expected, &proof.public_inputs);
            (differing.is_empty(), format!("{}{differing}", proof.words))
        }
        (Expectation::Refused { code, path }, Err(problem)) => {
            let here = path.is_none() || *path == problem.path;
            (problem.code == *code && here, refused(&problem))
        }
        (Expectation::Refused { .. }, Ok(proof)) => (false, proof.words),
        (Expectation::Proves(_), Err(problem)) => (false, refused(&problem)),
    };
    let expected = (!ok).then(|| match &expect {
        Expectation::Proves(inputs) if inputs.is_empty() => "a proof".to_owned(),
        Expectation::Proves(inputs) => {
            let shown: Vec<String> = inputs
                .iter()
                .map(|(name, elements)| format!("{name} = {}", elements.list().join(", ")))
                .collect();
            format!("a proof with {}", shown.join("; "))
        }
        Expectation::Refused { code, path: None } => format!("refused: {code}"),
        Expectation::Refused {
            code,
            path: Some(path),
        } => format!("refused: {code} at {path}"),
    });
    Outcome {
        name,
        ok,
        came_out,
        expected,
    }
}

/// The public inputs that are not as expected, in words.
fn differing(expected: &BTreeMap<String, Elements>, found: &PublicInputs) -> String {
    expected
        .iter()
        .filter(|(name, elements)| found.get(*name) != Some(&elements.list()))
        .map(|(name, _)| match found.get(name) {
            Some(elements) => format!("; but {name} = {}", elements.join(", ")),
            None => format!("; but there is no public input `{name}`"),
        })
        .collect()
}

fn refused(problem: &Problem) -> String {
    let place = problem
        .path
        .as_deref()
        .map(|path| format!(" at {path}"))
        .unwrap_or_default();
    format!("refused: {}{place}: {}", problem.code, problem.detail)
}

#[cfg(test)]
mod tests {
    //! The verdicts, each way an example can disappoint.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use serde::Deserialize as _;

    fn example(expect: &Value) -> Example {
        let document = json!({"name": "it", "input": null, "expect": expect});
        Example::deserialize(document).unwrap()
    }

    fn proof() -> Answer<Proof> {
        let inputs = [("product".to_owned(), vec!["0x1e".to_owned()])];
        Ok(Proof {
            words: "proved".to_owned(),
            public_inputs: inputs.into(),
        })
    }

    fn problem() -> Answer<Proof> {
        Err(Problem::new("input.invalid", "must be").at(Some("/a")))
    }

    #[test]
    fn what_comes_out_as_expected_is_good() {
        for (expect, answer) in [
            (json!("proves"), proof()),
            (json!({"proves": {"product": "0x1E"}}), proof()),
            (json!({"proves": {"product": ["0x1e"]}}), proof()),
            (json!({"refused": {"code": "input.invalid"}}), problem()),
            (
                json!({"refused": {"code": "input.invalid", "path": "/a"}}),
                problem(),
            ),
        ] {
            assert!(judge(example(&expect), answer).ok, "{expect}");
        }
    }

    #[test]
    fn what_comes_out_otherwise_is_told_with_what_was_expected() {
        for (expect, answer, word) in [
            (json!("proves"), problem(), "input.invalid at /a"),
            (
                json!({"proves": {"product": "0x1f"}}),
                proof(),
                "but product = 0x1e",
            ),
            (
                json!({"proves": {"sum": "0x1e"}}),
                proof(),
                "no public input `sum`",
            ),
            (
                json!({"refused": {"code": "input.invalid"}}),
                proof(),
                "proved",
            ),
            (
                json!({"refused": {"code": "input.schema"}}),
                problem(),
                "input.invalid",
            ),
            (
                json!({"refused": {"code": "input.invalid", "path": "/b"}}),
                problem(),
                "at /a",
            ),
        ] {
            let outcome = judge(example(&expect), answer);
            assert!(!outcome.ok, "{expect}");
            assert!(outcome.came_out.contains(word), "{}", outcome.came_out);
            assert!(outcome.expected.is_some());
        }
    }
}

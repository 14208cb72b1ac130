//! `chaos MINUTES SEED`: a random mixture of faults on a real cluster of this build's binary.
//!
//! Ends with success only when every planned fault really happened and the audit after the healing
//! found nothing wrong. The last line is one JSON object; what comes before is for people.
#![allow(clippy::print_stdout, reason = "the report is this program's output")]

use std::process::ExitCode;

use anyhow::Context as _;
use aureole_tests::chaos::{Options, run};
use serde_json::json;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |name| -> anyhow::Result<u64> {
        let text = arguments
            .next()
            .with_context(|| format!("{name} is missing"))?;
        text.parse()
            .with_context(|| format!("{name} is no number: {text}"))
    };
    let options = Options {
        minutes: number("MINUTES")?,
        seed: number("SEED")?,
    };
    println!(
        "chaos for {} minutes with seed {}",
        options.minutes, options.seed
    );
    let report = run(options, |line| println!("{line}")).await?;
    println!("\n{report}\n");
    let line = json!({
        "bench": "chaos",
        "minutes": options.minutes,
        "seed": options.seed,
        "faults": report.steps.len(),
        "faults_missed": report.missed(),
        "acknowledged": report.verdict.acknowledged,
        "proofs_verified": report.verdict.verified,
        "wrong": report.verdict.wrong.len(),
        "longest_gap_s": report.longest_gap.as_secs_f64(),
        "passed": report.passes(),
    });
    println!("{line}");
    Ok(if report.passes() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

//! Printing: text for people, or one JSON document on standard output.
//!
//! Whoever reads it may go at any time (`aureole plugin list | head -1`). A command has no more to do
//! then and ends without a word; a node goes on.

mod admin;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;

use aureole_client::rest;
use serde::Serialize;

pub(crate) use self::admin::{audit, key, me, tenant, usage};
use crate::arguments::Output;

/// The exit status of a command whose reader went: 128 and the number of SIGPIPE, as a shell shows a
/// command that the signal ended.
const READER_GONE: i32 = 141;

/// The exit status of a command whose output cannot be written: `EX_IOERR`.
const NOT_WRITTEN: i32 = 74;

/// Prints a line of a command's result, formatted.
macro_rules! say {
    ($($text:tt)*) => { line(format_args!($($text)*)) };
}

/// Prints a result: as JSON, or with the function for people.
pub(crate) fn result<T: Serialize>(
    output: Output,
    value: &T,
    text: impl FnOnce(&T),
) -> anyhow::Result<()> {
    match output {
        Output::Json => line(serde_json::to_string(value)?),
        Output::Text => text(value),
    }
    Ok(())
}

/// Prints a line of a command's result. Where nobody reads any more the command ends here.
pub(crate) fn line(text: impl Display) {
    let Err(error) = out(text) else {
        return;
    };
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(READER_GONE);
    }
    remark(format_args!(
        "error: standard output cannot be written: {error}"
    ));
    std::process::exit(NOT_WRITTEN);
}

/// Prints what a node says of itself; where nobody reads that it runs on.
pub(crate) fn announce(text: impl Display) {
    let _ = out(text);
}

/// Announces a document: as JSON, or with the function for people.
pub(crate) fn announcement<T: Serialize>(
    output: Output,
    value: &T,
    text: impl FnOnce(&T),
) -> anyhow::Result<()> {
    match output {
        Output::Json => announce(serde_json::to_string(value)?),
        Output::Text => text(value),
    }
    Ok(())
}

/// Prints a line beside the result, to standard error; there is nobody to tell where that is closed.
pub(crate) fn remark(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn out(text: impl Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Prints what went wrong, with its causes, to standard error.
pub(crate) fn failure(output: Output, error: &anyhow::Error) {
    let problem = error
        .downcast_ref::<aureole_client::Error>()
        .and_then(aureole_client::Error::problem);
    if output == Output::Json {
        let document = problem.map_or_else(
            || serde_json::json!({"detail": format!("{error:#}")}),
            |problem| serde_json::to_value(problem).unwrap_or_default(),
        );
        remark(document);
        return;
    }
    remark(format_args!("error: {error}"));
    let mut cause = error.source();
    while let Some(source) = cause {
        remark(format_args!("  because: {source}"));
        cause = source.source();
    }
    if let Some(problem) = problem
        && let Some(code) = aureole_client::codes::find(problem.code())
    {
        remark(format_args!("  what to do: {}", code.what_to_do));
    }
}

/// A plugin in full.
pub(crate) fn plugin(plugin: &rest::Plugin) {
    say!("{}  {}", plugin.label(), state(plugin.state));
    fact("summary", plugin.summary.as_deref());
    fact("digest", Some(&plugin.digest));
    fact("size", Some(format!("{} bytes", plugin.bytes)));
    fact("signer", plugin.signer.as_ref());
    fact("backend", plugin.backend.as_deref());
    fact("circuit", plugin.default_circuit.as_deref());
    fact("defaults", plugin.default_params.as_ref());
    for input in &plugin.public_inputs {
        fact("public", Some(format!("{}: {}", input.name, input.summary)));
    }
    lints(&plugin.lints);
    fact("problem", plugin.problem.as_ref());
    for (name, schema) in [
        ("params", &plugin.params_schema),
        ("input", &plugin.input_schema),
    ] {
        if let Some(schema) = schema {
            say!("  {name} schema:");
            for line in serde_json::to_string_pretty(schema)
                .unwrap_or_default()
                .lines()
            {
                say!("    {line}");
            }
        }
    }
}

/// Plugins, a line each.
pub(crate) fn plugins(list: &rest::PluginList) {
    if list.plugins.is_empty() {
        say!("no plugins; upload one with `aureole plugin upload FILE`");
    }
    for plugin in &list.plugins {
        say!(
            "{:<24} {:<11} {}",
            plugin.label(),
            state(plugin.state),
            plugin.summary.as_deref().unwrap_or_default()
        );
    }
}

/// A circuit in full.
pub(crate) fn circuit(circuit: &rest::Circuit) {
    say!("{}  {:?}", circuit.id, circuit.state);
    fact("plugin", circuit.plugin.as_deref());
    fact("params", Some(&circuit.params));
    if let Some(shape) = &circuit.shape {
        fact(
            "size",
            Some(format!(
                "k = {}, {} of {} rows used",
                shape.k,
                shape.rows_used,
                1_u64 << shape.k.min(63)
            )),
        );
        fact(
            "columns",
            Some(format!(
                "{} advice, {} fixed, {} instance",
                shape.advice_columns, shape.fixed_columns, shape.instance_columns
            )),
        );
        fact("degree", Some(shape.degree));
    }
    fact(
        "gates",
        (!circuit.gates.is_empty()).then(|| circuit.gates.join(", ")),
    );
    for input in &circuit.public_inputs {
        let (name, column, rows) = (&input.name, input.column, input.rows);
        fact(
            "public",
            Some(format!("{name}: column {column}, {rows} rows")),
        );
    }
    fact(
        "proof",
        circuit.proof_bytes.map(|bytes| format!("{bytes} bytes")),
    );
    fact("digest", circuit.circuit_digest.as_deref());
    fact("key", circuit.key_digest.as_deref());
    lints(&circuit.lints);
    fact("problem", circuit.problem.as_ref());
}

/// A task in full.
pub(crate) fn task(task: &rest::Task) {
    say!("{}  {}", task.id, task.state);
    fact("plugin", task.plugin.as_deref());
    fact("circuit", task.circuit.as_deref());
    fact("submitted", Some(task.submitted_at));
    fact("deadline", task.deadline);
    fact("stage", task.stage);
    fact("attempts", Some(task.attempts.len()));
    if let Some(timings) = &task.timings_ms {
        let stages = [
            ("queue", timings.queue),
            ("witness", timings.witness),
            ("check", timings.check),
            ("prove", timings.prove),
            ("verify", timings.verify),
            ("total", timings.total),
        ];
        let shown: Vec<String> = stages
            .into_iter()
            .filter_map(|(name, millis)| millis.map(|millis| format!("{name} {millis:.1} ms")))
            .collect();
        fact("times", Some(shown.join(", ")));
    }
    for (name, elements) in task.public_inputs.iter().flatten() {
        fact(
            "public",
            Some(format!("{name} = {}", elements.texts().join(", "))),
        );
    }
    if let Some(proof) = &task.proof {
        fact(
            "proof",
            Some(format!("{} bytes, sha256 {}", proof.bytes, proof.digest)),
        );
    }
    fact("error", task.error.as_ref());
}

/// Why a task waits.
pub(crate) fn explanation(told: &rest::Explanation) {
    say!("{}  {}", told.task, told.state);
    fact("waits", Some(&told.summary));
    let more = if told.ahead_is_more { "more than " } else { "" };
    let place = |ahead| format!("{more}{ahead} before it, {} queued", told.queued);
    fact("place", told.ahead.map(place));
    let share = format!(
        "{} (weight {}, {} running)",
        told.tenant, told.weight, told.tenant_running
    );
    fact("tenant", Some(share));
    let estimate = &told.estimate;
    let takes = format!(
        "{} ms on {} threads, {} MiB ({})",
        estimate.duration_ms,
        estimate.threads,
        estimate.memory_bytes >> 20,
        estimate.basis
    );
    fact("takes", Some(takes));
    let from_now = |millis: u64| format!("in {millis} ms");
    fact("starts", told.starts_in_ms.map(from_now));
    fact("done", told.ends_in_ms.map(from_now));
    fact("deadline", told.deadline);
}

/// Tasks of a page, a line each.
pub(crate) fn tasks(page: &rest::TaskPage) {
    for task in &page.tasks {
        say!(
            "{}  {}  {:<9}  {}",
            task.id,
            task.submitted_at,
            task.state,
            task.plugin.as_deref().unwrap_or_default()
        );
    }
}

/// That a bundle was written, and what it is for.
pub(crate) fn written(folder: &Path) {
    let folder = folder.display();
    say!("bundle written; verify it with `aureole verify {folder}`");
}

fn lints(lints: &[rest::Lint]) {
    for rest::Lint { code, item, detail } in lints {
        fact("warning", Some(format!("{code}: {item}: {detail}")));
    }
}

fn fact(name: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        say!("  {name:<10} {value}");
    }
}

fn state(state: rest::PluginState) -> &'static str {
    match state {
        rest::PluginState::Inspecting => "inspecting",
        rest::PluginState::Ready => "ready",
        rest::PluginState::Rejected => "rejected",
        rest::PluginState::Retired => "retired",
    }
}

//! The page of figures: one row for each promise, with the command, and a picture of them all.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

/// Where the page and its picture stand, from the workspace.
const PAGE: &str = "host/BENCHMARKS.md";
const PICTURE: &str = "host/BENCHMARKS.svg";

/// Where the benches' lines are kept, from the workspace.
const LINES: &str = "target/bench";

/// What a figure must be.
#[derive(Clone, Copy, Debug)]
enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Stated, with nothing promised.
    Stated,
}

/// A figure that a bench prints, and what is promised of it.
struct Promise {
    /// The name of the bench, as its line says.
    bench: &'static str,
    /// Where the figure stands in the line, as a JSON pointer (RFC 6901).
    pointer: &'static str,
    what: &'static str,
    target: Target,
}

const fn promise(
    bench: &'static str,
    pointer: &'static str,
    what: &'static str,
    target: Target,
) -> Promise {
    Promise {
        bench,
        pointer,
        what,
        target,
    }
}

/// In the order of the page.
const PROMISES: [Promise; 35] = [
    promise(
        "overhead",
        "/ratio",
        "submission to proof in hand over stock `create_proof`, the larger proof, medians",
        Target::AtMost(1.03),
    ),
    promise(
        "overhead",
        "/ratio_p99",
        "the same of the 99th percentiles",
        Target::AtMost(1.10),
    ),
    promise(
        "overhead",
        "/small_added_ms",
        "what is added to a small proof, in milliseconds",
        Target::AtMost(15.0),
    ),
    promise(
        "overhead",
        "/verified_cores",
        "cores that can prove while the leader verifies on one, the larger proof",
        Target::AtLeast(4.0),
    ),
    promise(
        "prove",
        "/ratio",
        "one proof with warm keys over stock `create_proof` as it comes, the larger proof",
        Target::AtMost(1.0),
    ),
    promise(
        "prove",
        "/over_assembly",
        "the same over stock `create_proof` with field arithmetic in assembly",
        Target::AtMost(1.0),
    ),
    promise(
        "prove",
        "/over_limit",
        "the same over the multiplications that the protocol takes, at this machine's rate",
        Target::Stated,
    ),
    promise(
        "witness",
        "/ratio",
        "a witness in the sandbox over native",
        Target::AtMost(1.3),
    ),
    promise(
        "witness",
        "/share_of_whole",
        "the witness as a part of witness, values and proof",
        Target::AtMost(0.03),
    ),
    promise(
        "witness",
        "/instantiation_ms",
        "milliseconds for an instance from the pool",
        Target::AtMost(0.1),
    ),
    promise(
        "witness",
        "/least_call_ms",
        "milliseconds for that, the least call and the instance's end",
        Target::Stated,
    ),
    promise(
        "witness",
        "/handover_over_copy",
        "32 MiB of a witness out of the sandbox over copying them",
        Target::AtMost(1.5),
    ),
    promise(
        "throughput",
        "/ratio",
        "proofs a second with a deep queue over a loop of `create_proof`",
        Target::AtLeast(1.2),
    ),
    promise(
        "throughput",
        "/slowest_over_lone",
        "the slowest of a deep queue over a lone proof",
        Target::AtMost(2.0),
    ),
    promise(
        "cold-start",
        "/ratio",
        "upload to first proof over keys and proof by hand",
        Target::AtMost(1.2),
    ),
    promise(
        "cold-start",
        "/second_worker_over_first",
        "a second worker's first proof over the first's",
        Target::AtMost(1.0),
    ),
    promise(
        "batch-verify",
        "/ratio",
        "64 proofs of a key together over one by one",
        Target::AtLeast(8.0),
    ),
    promise(
        "memory",
        "/ratio",
        "peak of a worker's prover over a process of stock halo2, k = 14",
        Target::AtMost(1.1),
    ),
    promise(
        "memory",
        "/worker_ratio",
        "peak of the whole worker over the same",
        Target::Stated,
    ),
    promise(
        "memory",
        "/estimate_low",
        "the estimate for admission over the measured peak, the lowest",
        Target::AtLeast(0.8),
    ),
    promise(
        "memory",
        "/estimate_high",
        "the same, the highest",
        Target::AtMost(1.2),
    ),
    promise(
        "control-plane",
        "/ratio",
        "no-op tasks a second over a PostgreSQL queue, 90 clients",
        Target::AtLeast(2.0),
    ),
    promise(
        "control-plane",
        "/with_fewer_clients/64",
        "the same with 64 clients",
        Target::Stated,
    ),
    promise(
        "control-plane",
        "/with_fewer_clients/16",
        "the same with 16 clients",
        Target::Stated,
    ),
    promise(
        "queue",
        "/ratio",
        "tasks a second with 1,000 in the queue over the same with 100,000",
        Target::AtMost(1.3),
    ),
    promise(
        "queue",
        "/log_bytes_per_task",
        "bytes of a member's log for a task",
        Target::Stated,
    ),
    promise(
        "queue",
        "/member_bytes_per_queued_task",
        "bytes of a member's memory for a task that waits, of 100,000",
        Target::Stated,
    ),
    promise(
        "queue",
        "/member_mib",
        "MiB of a member with 100,000 tasks in the queue",
        Target::Stated,
    ),
    promise(
        "scale",
        "/ratio",
        "two workers of one thread over one",
        Target::AtLeast(1.9),
    ),
    promise(
        "failover",
        "/median_s",
        "seconds from a killed leader to the next acknowledged task, median",
        Target::AtMost(2.0),
    ),
    promise(
        "failover",
        "/p99_s",
        "the same, 99th percentile",
        Target::AtMost(5.0),
    ),
    promise(
        "api",
        "/ratio",
        "status reads a second over a bare echo server",
        Target::Stated,
    ),
    promise(
        "api",
        "/submissions_per_s",
        "submissions a second",
        Target::Stated,
    ),
    promise(
        "api",
        "/submissions_p99_ms",
        "their 99th percentile in milliseconds",
        Target::Stated,
    ),
    promise(
        "api",
        "/status_reads_p99_ms",
        "the 99th percentile of status reads in milliseconds",
        Target::Stated,
    ),
];

/// What is known of a promise that does not hold: the bench, where its figure stands, and the reason.
const REASONS: [(&str, &str, &str); 3] = [
    (
        "witness",
        "/ratio",
        "Field multiplication is what a witness is made of, and natively it is assembly, which a plugin \
         cannot have: its multiplications are compiled from WebAssembly's wide ones. Tried: those (seven \
         times faster than without), and plugins built with opt-level 3 (a tenth faster, larger).",
    ),
    (
        "witness",
        "/share_of_whole",
        "Natively built, the same witness is more than this part of the proof by itself, as `native_ms` in \
         the bench's line says. Most of it is the fifth power that halo2_gadgets' Poseidon takes of each \
         word with an exponent of 256 bits (512 multiplications in place of three), in both passes of \
         its floor planner. Not tried: one pass, with the places of a pass without values; it would be half.",
    ),
    (
        "cold-start",
        "/ratio",
        "By hand nothing is compiled: half of the platform's time is Cranelift on the component, the \
         rest the same keys made twice (by the prover, and by the verifier, which takes nobody's word) \
         and the proof. Tried: compilation on several threads, 0.7 of the time in all; the end of a task \
         told at once, 45 ms less. Not tried: code of a baseline compiler for the first proof.",
    ),
];

/// One promise with its figure.
struct Row {
    promise: &'static Promise,
    figure: Option<f64>,
}

/// What one run of all benches measured.
pub(super) struct Page {
    rows: Vec<Row>,
}

// === impl Page ===

impl Page {
    /// Finds each promise's figure in the benches' last lines.
    pub(super) fn of(lines: &[Value]) -> Self {
        let figure = |promise: &Promise| {
            let line = lines.iter().find(|line| line["bench"] == promise.bench)?;
            line.pointer(promise.pointer)?.as_f64()
        };
        let rows = PROMISES.iter().map(|promise| Row {
            promise,
            figure: figure(promise),
        });
        Self {
            rows: rows.collect(),
        }
    }

    /// The figures as a table in Markdown.
    pub(super) fn table(&self) -> String {
        let mut table =
            "| command | figure | measured | promised | holds |\n|---|---|---|---|---|\n"
                .to_owned();
        for row in &self.rows {
            let measured = row.figure.map_or_else(|| "none".to_owned(), shown);
            let _ = writeln!(
                table,
                "| `cargo xtask bench {}` | {} | {measured} | {} | {} |",
                row.promise.bench,
                row.promise.what,
                row.promise.target.shown(),
                row.verdict()
            );
        }
        table
    }

    /// Why promises do not hold, for those that do not.
    fn reasons(&self) -> String {
        let mut text = String::new();
        for row in self.rows.iter().filter(|row| row.verdict() == "no") {
            let Promise {
                bench,
                pointer,
                what,
                ..
            } = row.promise;
            let reason = REASONS
                .iter()
                .find(|(of, at, _)| (of, at) == (bench, pointer))
                .map_or("No reason is known yet.", |(_, _, reason)| reason);
            let _ = writeln!(text, "- {bench}, {what}: {reason}");
        }
        if text.is_empty() {
            return text;
        }
        format!("\n## What does not hold\n\n{text}")
    }

    /// Keeps a bench's line for the page, which is written of the newest line of each.
    pub(super) fn keep(workspace: &Path, line: &Value) -> anyhow::Result<()> {
        let name = line["bench"].as_str().context("a line without a name")?;
        let folder = workspace.join(LINES);
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(folder.join(format!("{name}.json")), line.to_string()))
            .with_context(|| format!("could not write below {LINES}"))
    }

    /// The page of the lines that are kept.
    pub(super) fn kept(workspace: &Path) -> anyhow::Result<Self> {
        let mut lines = Vec::new();
        for promise in &PROMISES {
            let path = workspace.join(LINES).join(format!("{}.json", promise.bench));
            let line = fs::read_to_string(&path).with_context(|| {
                let name = promise.bench;
                format!("there is no figure of it yet: run `cargo xtask bench {name}`")
            })?;
            lines.push(serde_json::from_str(&line)?);
        }
        Ok(Self::of(&lines))
    }

    /// Writes the page and its picture.
    pub(super) fn write(&self, workspace: &Path) -> anyhow::Result<()> {
        let page = format!(
            "# Benchmarks\n\n\
             Each figure is a ratio of two things measured by turns in one run, or stated as what it is.\n\
             This page is written by `cargo xtask bench`, which measures all of it; \
             `cargo xtask bench NAME` measures one, `cargo xtask bench page` writes it of what was measured last, and `cargo xtask bench --quick` shows fewer rounds of all in minutes.\n\
             What each bench does stands in [the tests' README](../tests/README.md).\n\n\
             Measured on: {}.\n\n\
             ![Each figure beside its promise](BENCHMARKS.svg)\n\n{}{}",
            machine(),
            self.table(),
            self.reasons()
        );
        for (path, text) in [(PAGE, page), (PICTURE, self.picture())] {
            let path = workspace.join(path);
            fs::write(&path, text)
                .with_context(|| format!("could not write {}", path.display()))?;
        }
        Ok(())
    }

    /// A bar for each promise: how far its figure is from what is promised, as a factor on a scale
    /// from a quarter to four times; right of the line is better.
    fn picture(&self) -> String {
        const ROW: usize = 26;
        const MIDDLE: f64 = 640.0;
        const DOUBLING: f64 = 90.0;
        let kept: Vec<(&Row, f64)> = self
            .rows
            .iter()
            .filter_map(|row| Some((row, row.margin()?)))
            .collect();
        let height = ROW * kept.len() + 50;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 {height}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\" \
             aria-label=\"each figure beside its promise\">\n\
             <rect width=\"860\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             <text x=\"{MIDDLE}\" y=\"18\" text-anchor=\"middle\" fill=\"#444444\">as promised</text>\n\
             <text x=\"{}\" y=\"18\" text-anchor=\"end\" fill=\"#444444\">twice as good</text>\n",
            MIDDLE + 2.2 * DOUBLING
        );
        for (index, (row, margin)) in kept.iter().enumerate() {
            let y = 30 + ROW * index;
            let length = (margin.log2() * DOUBLING).clamp(-2.0 * DOUBLING, 2.0 * DOUBLING);
            let (from, color) = if length < 0.0 {
                (MIDDLE + length, "#c2703d")
            } else {
                (MIDDLE, "#3d7ac2")
            };
            let _ = writeln!(
                svg,
                "<text x=\"10\" y=\"{}\" fill=\"#222222\">{}: {}</text>\
                 <rect x=\"{from:.1}\" y=\"{}\" width=\"{:.1}\" height=\"14\" fill=\"{color}\"/>",
                y + 12,
                row.promise.bench,
                escaped(row.promise.what),
                y + 1,
                length.abs().max(1.0)
            );
        }
        let _ = writeln!(
            svg,
            "<line x1=\"{MIDDLE}\" y1=\"24\" x2=\"{MIDDLE}\" y2=\"{}\" stroke=\"#222222\"/>\n</svg>",
            height - 14
        );
        svg
    }
}

// === impl Row ===

impl Row {
    fn verdict(&self) -> &'static str {
        match (self.margin(), self.promise.target) {
            (_, Target::Stated) => "",
            (Some(margin), _) if margin >= 1.0 => "yes",
            (Some(_), _) => "no",
            (None, _) => "not measured",
        }
    }

    /// How many times as good as promised.
    fn margin(&self) -> Option<f64> {
        let figure = self.figure?;
        match self.promise.target {
            // Less than nothing added is as good as a hair's breadth.
            Target::AtMost(most) => Some(most / figure.max(most / 16.0)),
            Target::AtLeast(least) => Some((figure / least).max(1.0 / 16.0)),
            Target::Stated => None,
        }
    }
}

// === impl Target ===

impl Target {
    fn shown(self) -> String {
        match self {
            Self::AtMost(most) => format!("at most {most}"),
            Self::AtLeast(least) => format!("at least {least}"),
            Self::Stated => String::new(),
        }
    }
}

fn shown(figure: f64) -> String {
    if figure >= 100.0 {
        format!("{figure:.0}")
    } else {
        format!("{figure:.3}")
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('`', "")
}

/// The machine in words: its processor, cores and system.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unnamed processor", |(_, name)| name.trim());
    format!("{model}, {cores} cores, {}", std::env::consts::OS)
}

#[cfg(test)]
mod tests {
    //! What the page says of figures.

    use serde_json::json;

    use super::*;

    #[test]
    fn a_figure_is_held_to_its_promise_and_a_missing_one_is_said_to_be_missing() {
        let page = Page::of(&[
            json!({"bench": "scale", "ratio": 1.95}),
            json!({"bench": "control-plane", "ratio": 1.5}),
        ]);
        let table = page.table();
        let row = |bench: &str| {
            let line = table
                .lines()
                .find(|line| line.contains(&format!("bench {bench}`")));
            line.unwrap_or_default().to_owned()
        };
        assert!(
            row("scale").ends_with("| 1.950 | at least 1.9 | yes |"),
            "{}",
            row("scale")
        );
        assert!(row("control-plane").ends_with("| 1.500 | at least 2 | no |"));
        assert!(row("throughput").ends_with("| none | at least 1.2 | not measured |"));
    }

    #[test]
    fn a_promise_that_does_not_hold_has_its_reason_beside_it() {
        let page = Page::of(&[
            json!({"bench": "cold-start", "ratio": 2.5}),
            json!({"bench": "scale", "ratio": 1.95}),
        ]);
        let reasons = page.reasons();
        assert!(reasons.contains("- cold-start, upload to first proof"));
        assert_eq!(reasons.matches("\n- ").count(), 1, "{reasons}");
        assert!(Page::of(&[]).reasons().is_empty());
        for (bench, pointer, _) in REASONS {
            let is_promised =
                |promise: &Promise| (promise.bench, promise.pointer) == (bench, pointer);
            assert!(PROMISES.iter().any(is_promised), "{bench} {pointer}");
        }
    }

    #[test]
    fn the_picture_has_a_bar_for_each_promise_that_was_measured() {
        let page = Page::of(&[json!({"bench": "failover", "median_s": 1.6, "p99_s": 2.7})]);
        assert_eq!(page.picture().matches("height=\"14\"").count(), 2);
    }
}

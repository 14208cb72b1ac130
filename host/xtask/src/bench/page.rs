//! The page of figures: a section for each bench with a row for each promise, and a picture of them all.

mod promises;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use promises::{PROMISES, Promise, Target};
use words::{NOTES, REASONS};

/// Where the page and its picture stand, from the workspace.
const PAGE: &str = "host/BENCHMARKS.md";
const PICTURE: &str = "host/BENCHMARKS.svg";

/// Where the benches' lines are kept, from the workspace.
const LINES: &str = "target/bench";

/// One promise with its figure.
struct Row {
    promise: &'static Promise,
    figure: Option<f64>,
}

/// What one run of all benches measured.
pub(super) struct Page {
    rows: Vec<Row>,
    /// When and at which commit, for each bench that was measured.
    measured: BTreeMap<&'static str, String>,
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
        let measured = benches().filter_map(|bench| {
            let line = lines.iter().find(|line| line["bench"] == bench)?;
            Some((bench, measured(line)))
        });
        Self {
            rows: rows.collect(),
            measured: measured.collect(),
        }
    }

    /// All figures as one table in Markdown.
    pub(super) fn table(&self) -> String {
        let mut table =
            "| command | figure | measured | promised | holds |\n|---|---|---|---|---|\n"
                .to_owned();
        for row in &self.rows {
            let _ = writeln!(
                table,
                "| `cargo xtask bench {}` | {} | {} | {} | {} |",
                row.promise.bench,
                row.promise.what,
                row.shown(),
                row.promise.target.shown(),
                row.verdict()
            );
        }
        table
    }

    /// A section for each bench: its command, when it was measured, what to know, and its figures.
    fn sections(&self) -> String {
        let mut text = String::new();
        for bench in benches() {
            let measured = self.measured.get(bench);
            let measured = measured.map_or("Not measured.", String::as_str);
            let _ = writeln!(
                text,
                "## {bench}\n\n`cargo xtask bench {bench}`. {measured}"
            );
            for (_, note) in NOTES.iter().filter(|(of, _)| *of == bench) {
                let _ = writeln!(text, "{note}");
            }
            text.push_str(
                "\n| figure | measured | how | promised | holds |\n|---|---|---|---|---|\n",
            );
            for row in self.rows.iter().filter(|row| row.promise.bench == bench) {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {} | {} |",
                    row.promise.what,
                    row.shown(),
                    row.promise.way.shown(),
                    row.promise.target.shown(),
                    row.verdict()
                );
            }
            text.push('\n');
        }
        text
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
        format!("## What does not hold\n\n{text}")
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
        for bench in benches() {
            let path = workspace.join(LINES).join(format!("{bench}.json"));
            let line = fs::read_to_string(&path).with_context(|| {
                format!("there is no figure of it yet: run `cargo xtask bench {bench}`")
            })?;
            lines.push(serde_json::from_str(&line)?);
        }
        Ok(Self::of(&lines))
    }

    /// Writes the page and its picture.
    pub(super) fn write(&self, workspace: &Path) -> anyhow::Result<()> {
        let page = format!(
            "# Benchmarks\n\n\
             Each figure comes of one run on one machine, and most are ratios: a time depends on the machine, a ratio of two things measured beside each other much less.\n\
             How a figure comes about stands beside it.\n\
             *By turns*: both sides again and again in turn, so that a noisy machine is noisy to both.\n\
             *One after the other*: both sides in the same run, one of them later.\n\
             *By itself*: one side, in its unit.\n\
             *Worked out*: from other figures of the run, as the section says.\n\n\
             This page is written by `cargo xtask bench`, which measures all of it; \
             `cargo xtask bench NAME` measures one, `cargo xtask bench page` writes it of what was measured last, and `cargo xtask bench --quick` shows fewer rounds of all in minutes.\n\
             What each bench does stands in [the tests' README](../tests/README.md).\n\n\
             Measured on: {}.\n\n\
             ![Each figure beside its promise](BENCHMARKS.svg)\n\n{}{}",
            machine(),
            self.sections(),
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
        const MIDDLE: f64 = 790.0;
        const DOUBLING: f64 = 90.0;
        let kept: Vec<(&Row, f64)> = self
            .rows
            .iter()
            .filter_map(|row| Some((row, row.margin()?)))
            .collect();
        let height = ROW * kept.len() + 50;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1000 {height}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\" \
             aria-label=\"each figure beside its promise\">\n\
             <rect width=\"1000\" height=\"{height}\" fill=\"#ffffff\"/>\n\
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
    fn shown(&self) -> String {
        self.figure.map_or_else(|| "none".to_owned(), shown)
    }

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

/// The benches of the page, each once, in its order.
fn benches() -> impl Iterator<Item = &'static str> {
    let together = PROMISES.chunk_by(|one, next| one.bench == next.bench);
    together.filter_map(|promises| Some(promises.first()?.bench))
}

/// When and at which commit a bench's line was measured.
fn measured(line: &Value) -> String {
    match (line["date"].as_str(), line["commit"].as_str()) {
        (Some(date), Some(commit)) => format!("Measured on {date} at {commit}."),
        _ => "Measured before days and commits were noted.".to_owned(),
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
                |promise: &Promise| (promise.bench, promise.pointer) == (*bench, *pointer);
            assert!(PROMISES.iter().any(is_promised), "{bench} {pointer}");
        }
    }

    #[test]
    fn each_bench_has_one_section_which_says_when_it_was_measured_and_how() {
        let page = Page::of(&[
            json!({"bench": "scale", "ratio": 1.95, "date": "2026-11-24", "commit": "0123abcd"}),
            json!({"bench": "failover", "median_s": 1.6}),
        ]);
        let sections = page.sections();
        assert!(sections.contains(
            "## scale\n\n`cargo xtask bench scale`. Measured on 2026-11-24 at 0123abcd.\n"
        ));
        assert!(sections.contains("| 1.950 | by turns | at least 1.9 | yes |"));
        assert!(sections.contains("`cargo xtask bench failover`. Measured before days"));
        assert!(sections.contains("`cargo xtask bench prove`. Not measured."));
        let mut names: Vec<_> = benches().collect();
        let count = names.len();
        assert_eq!(sections.matches("\n| figure |").count(), count);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a bench's promises stand together");
        for (bench, _) in NOTES {
            assert!(names.contains(bench), "{bench} has a note and no promise");
        }
    }

    #[test]
    fn the_picture_has_a_bar_for_each_promise_that_was_measured() {
        let page = Page::of(&[json!({"bench": "failover", "median_s": 1.6, "p99_s": 2.7})]);
        assert_eq!(page.picture().matches("height=\"14\"").count(), 2);
    }
}

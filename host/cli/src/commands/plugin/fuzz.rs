//! `aureole plugin fuzz`: changes a witness cell by cell and reports what no constraint notices.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use aureole_audit::freedom;
use aureole_draw::column_name;
use aureole_ir::Witness;
use aureole_prover::{Effort, Finding, FindingKind, FoundCell, Probed, Unsatisfied, probe};
use clap::Args;
use serde::Serialize;

use crate::commands::recorded::Recorded;
use crate::commands::{Context, read_json, unsatisfied};
use crate::{print, progress};

/// Change a good witness cell by cell and report every change that still satisfies the circuit.
///
/// Such a change is likely a missing constraint. Public inputs stay as they are; cells that are
/// copies of each other change together; a change that breaks one constraint is repaired with one
/// other cell where that is possible. Exits 1 if something is found. It looks around one witness:
/// run it with several inputs, and take silence for what it is.
#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    /// Component
    #[arg(value_name = "FILE.wasm")]
    component: PathBuf,
    /// JSON file with an input that satisfies the circuit; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// JSON file with the circuit's parameters, in place of the plugin's defaults
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// A finding that is known and meant, by words of its first line; may be repeated
    #[arg(long, value_name = "WORDS")]
    accept: Vec<String>,
    /// Look for so many seconds at most, and say how much was not looked at
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    time: u64,
    /// How many field elements an honest prover chooses freely. Ways to move witness and public
    /// inputs together without breaking anything are counted as well, and more of them than that
    /// are reported: a value that was witnessed twice is one
    #[arg(long, value_name = "N")]
    free: Option<u64>,
}

/// Findings that differ in numbers only.
#[derive(Debug, Serialize)]
struct Group {
    kind: FindingKind,
    title: String,
    accepted: bool,
    count: u64,
    first: Finding,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    plugin: String,
    suspicious: bool,
    values: u64,
    pinned: u64,
    changes: u64,
    padding: u64,
    /// Values for which the time did not suffice.
    unseen: u64,
    groups: Vec<Group>,
    more: u64,
    /// Where it was asked for.
    freedom: Option<Freedom>,
}

/// In how many independent ways everything can be moved together.
#[derive(Debug, Serialize)]
struct Freedom {
    directions: u64,
    expected: u64,
    /// One cell for each direction.
    cells: Vec<String>,
}

/// Fuzzes; something suspicious is an answer with exit code 1.
pub(super) async fn run(context: &Context, options: &Fuzz) -> anyhow::Result<ExitCode> {
    let input = read_json(&options.input)?;
    let recorded = Recorded::open(context, &options.component, options.params.as_deref()).await?;
    let spinner = progress::spinner(context.output, "computing the witness");
    let witness = recorded.witness(&input).await?;
    spinner.finish_and_clear();
    let probed = watched(
        context,
        &recorded,
        &witness,
        Duration::from_secs(options.time),
    )
    .await?;
    let probed = match probed {
        Ok(probed) => probed,
        Err(broken) => {
            let failures = unsatisfied::failures(&broken);
            unsatisfied::print(&failures, broken.more, Some(recorded.circuit.circuit()));
            bail!("the input does not satisfy the circuit, so there is nothing to change");
        }
    };
    let mut answer = answer(recorded.label(), &probed, &options.accept);
    if let Some(expected) = options.free {
        let spinner = progress::spinner(context.output, "counting directions");
        let freedom = count(&recorded, witness, expected).await?;
        spinner.finish_and_clear();
        answer.suspicious |= freedom.directions > expected;
        answer.freedom = Some(freedom);
    }
    print::result(context.output, &answer, show)?;
    Ok(if answer.suspicious {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Probes on another thread, and shows how far it is.
async fn watched(
    context: &Context,
    recorded: &Recorded,
    witness: &Witness,
    time: Duration,
) -> anyhow::Result<Result<Probed, Unsatisfied>> {
    let effort = Arc::new(Effort::within(time));
    let bar = progress::values(context.output, "changing cells");
    let (circuit, annotations) = (recorded.circuit.clone(), recorded.annotations.clone());
    let (witness, watched) = (witness.clone(), Arc::clone(&effort));
    let mut probing =
        tokio::task::spawn_blocking(move || probe(&circuit, &annotations, &witness, &watched));
    let probed = loop {
        match tokio::time::timeout(progress::TURN, &mut probing).await {
            Ok(probed) => break probed?,
            Err(_) => progress::set(&bar, effort.progress()),
        }
    };
    bar.finish_and_clear();
    Ok(probed)
}

async fn count(recorded: &Recorded, witness: Witness, expected: u64) -> anyhow::Result<Freedom> {
    let circuit = recorded.circuit.clone();
    let counted =
        tokio::task::spawn_blocking(move || freedom(circuit.circuit(), &witness)).await??;
    let regions = &recorded.annotations.regions;
    let cells = counted.free_cells.iter().map(|cell| {
        let name = format!("{} row {}", column_name(cell.column), cell.row);
        let around = regions.iter().find(|region| {
            let rows = region.first_row..region.first_row.saturating_add(region.rows);
            rows.contains(&cell.row) && region.columns.contains(&cell.column)
        });
        around.map_or(name.clone(), |region| {
            format!("{name} in '{}'", region.name)
        })
    });
    Ok(Freedom {
        directions: counted.directions as u64,
        expected,
        cells: cells.collect(),
    })
}

fn answer(plugin: String, probed: &Probed, accept: &[String]) -> Answer {
    let mut groups: BTreeMap<(FindingKind, String), Group> = BTreeMap::new();
    for finding in &probed.findings {
        let title = title(finding);
        let key = (finding.kind, without_numbers(&title));
        groups
            .entry(key)
            .or_insert_with(|| Group {
                kind: finding.kind,
                accepted: accept.iter().any(|words| title.contains(words)),
                title,
                count: 0,
                first: finding.clone(),
            })
            .count += 1;
    }
    let groups: Vec<Group> = groups.into_values().collect();
    let suspicious = groups
        .iter()
        .any(|group| group.kind != FindingKind::Unread && !group.accepted);
    Answer {
        plugin,
        suspicious,
        values: probed.values,
        pinned: probed.pinned,
        changes: probed.changes,
        padding: probed.padding,
        unseen: probed.unseen,
        groups,
        more: probed.more,
        freedom: None,
    }
}

/// The first line of a finding.
fn title(finding: &Finding) -> String {
    let cells: Vec<String> = finding.cells.iter().map(cell).collect();
    match finding.kind {
        FindingKind::Free => format!("{} can be changed alone", cells.join(" and ")),
        FindingKind::Together => format!("{} can be changed together", cells.join(" and ")),
        FindingKind::Unread => format!("{} is not zero and nothing reads it", cells.join(" and ")),
    }
}

fn cell(found: &FoundCell) -> String {
    match &found.region {
        Some(region) => format!(
            "{} in '{}' +{}",
            found.cell.name, region.name, region.offset
        ),
        None => format!("{} row {}", found.cell.name, found.cell.place.row),
    }
}

/// Names of columns keep their numbers, regions and rows lose theirs.
fn without_numbers(title: &str) -> String {
    let words = title.split_inclusive(' ').map(|word| {
        let column = word.starts_with('a') && word.trim_end().len() <= 4;
        if column {
            return word.to_owned();
        }
        let mut kept = String::new();
        for character in word.chars() {
            if !character.is_ascii_digit() {
                kept.push(character);
            } else if !kept.ends_with('#') {
                kept.push('#');
            }
        }
        kept
    });
    words.collect()
}

fn show(answer: &Answer) {
    print::line(format_args!(
        "{}: {} changes to {} values; {} more are pinned by a public input or a constant, {} cells are padding",
        answer.plugin, answer.changes, answer.values, answer.pinned, answer.padding
    ));
    for group in &answer.groups {
        let mark = match (group.kind, group.accepted) {
            (_, true) => "accepted",
            (FindingKind::Unread, _) => "unread",
            _ => "SUSPICIOUS",
        };
        let row = group
            .first
            .cells
            .first()
            .map_or(0, |found| found.cell.place.row);
        print::line(format_args!("{mark}: {}", group.title));
        print::line(format_args!("  row        {row}"));
        if group.kind != FindingKind::Unread {
            print::line(format_args!("  change     {}", group.first.change));
            print::line(format_args!(
                "  read by    {}",
                group.first.readers.join(", ")
            ));
        }
        if group.count > 1 {
            print::line(format_args!("  and {} more like it", group.count - 1));
        }
    }
    if answer.more > 0 {
        print::line(format_args!("{} findings are not listed", answer.more));
    }
    if answer.unseen > 0 {
        print::line(format_args!(
            "{} values were not reached in the time: more --time reaches them",
            answer.unseen
        ));
    }
    if let Some(freedom) = &answer.freedom {
        let suspicious = freedom.directions > freedom.expected;
        print::line(format_args!(
            "{}{} directions are free, {} expected: {}",
            if suspicious { "SUSPICIOUS: " } else { "" },
            freedom.directions,
            freedom.expected,
            freedom.cells.join(", ")
        ));
    }
    if !answer.suspicious {
        print::line("nothing suspicious around this witness");
    }
}

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn findings_of_one_column_in_many_rounds_are_one_group() {
        let (one, two) = ("a3 in 'round 1' +20 can", "a3 in 'round 12' +4 can");
        assert_eq!(without_numbers(one), without_numbers(two));
        assert_ne!(
            without_numbers(one),
            without_numbers("a2 in 'round 1' +20 can")
        );
    }
}

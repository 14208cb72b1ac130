//! `aureole plugin inspect`: what a circuit is made of, and what it costs.

use std::path::PathBuf;
use std::time::Duration;

use aureole_draw::{Formula, Formulas, LookupFormula, RegionUse, column_name, regions};
use aureole_ir::Shape;
use aureole_prover::{Estimate, ParamsDir, Speed, estimate};
use clap::Args;
use serde::Serialize;

use crate::commands::Context;
use crate::commands::recorded::Recorded;
use crate::workbench::params_dir;
use crate::{print, progress};

/// Show what a circuit is made of: shape, gates as formulas, lookups, rows by region, cost.
///
/// In formulas a0 is advice column 0, f fixed, i instance, s a selector; a0[+1] is the row below.
/// A formula stands for zero on every row on which the selectors before the colon are on.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Component
    #[arg(value_name = "FILE.wasm")]
    component: PathBuf,
    /// JSON file with the circuit's parameters, in place of the plugin's defaults
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Inspection {
    plugin: String,
    circuit_digest: String,
    shape: Shape,
    gates: Vec<Gate>,
    lookups: Vec<LookupFormula>,
    /// Columns under equality constraints.
    permutation: Vec<String>,
    /// Columns for constants.
    constants: Vec<String>,
    public_inputs: Vec<PublicInput>,
    regions: Vec<RegionUse>,
    cost: Cost,
}

#[derive(Debug, Serialize)]
struct Gate {
    name: String,
    constraints: Vec<Constraint>,
}

#[derive(Debug, Serialize)]
struct Constraint {
    name: String,
    #[serde(flatten)]
    formula: Formula,
}

#[derive(Debug, Serialize)]
struct PublicInput {
    name: String,
    column: String,
    rows: u32,
}

#[derive(Debug, Serialize)]
struct Cost {
    rows_used: u32,
    rows_free: u32,
    /// Absent where a node would refuse to make keys.
    proof_bytes: Option<u32>,
    memory: Estimate,
    keygen_seconds: f64,
    prove_seconds: f64,
    /// What the seconds are derived from.
    basis: String,
}

/// Inspects.
pub(super) async fn run(context: &Context, options: &Inspect) -> anyhow::Result<()> {
    let recorded = Recorded::open(context, &options.component, options.params.as_deref()).await?;
    let spinner = progress::spinner(context.output, "measuring this machine");
    let inspection = inspect(&recorded).await?;
    spinner.finish_and_clear();
    print::result(context.output, &inspection, show)
}

async fn inspect(recorded: &Recorded) -> anyhow::Result<Inspection> {
    let circuit = recorded.circuit.circuit();
    let system = &circuit.constraint_system;
    let shape = recorded.circuit.shape().clone();
    let formulas = Formulas::new(system, circuit.field);
    let gates = system.gates.iter().map(|gate| Gate {
        name: gate.name.clone(),
        constraints: gate
            .constraints
            .iter()
            .map(|constraint| Constraint {
                name: constraint.name.clone(),
                formula: formulas.polynomial(constraint.expression),
            })
            .collect(),
    });
    let public_inputs = circuit.public_inputs.iter().map(|input| PublicInput {
        name: input.name.clone(),
        column: format!("i{}", input.column),
        rows: input.rows,
    });
    // Keys are made for real: only they tell the exact length of a proof. A circuit above a
    // node's limits has none.
    let prepared = recorded.bench.provers.prepare(&recorded.bytes).await.ok();
    let k = Speed::measured_k(shape.k);
    let speed = tokio::task::spawn_blocking(move || measure(k)).await??;
    let keygen = prepared.as_ref().map_or_else(
        || speed.keygen(&shape),
        |prepared| Duration::from_micros(prepared.keygen_micros),
    );
    Ok(Inspection {
        plugin: recorded.label(),
        circuit_digest: recorded.circuit.digest().to_string(),
        gates: gates.collect(),
        lookups: system
            .lookups
            .iter()
            .map(|lookup| formulas.lookup(lookup))
            .collect(),
        permutation: system
            .permutation
            .iter()
            .map(|column| column_name(*column))
            .collect(),
        constants: system
            .constants
            .iter()
            .map(|index| format!("f{index}"))
            .collect(),
        public_inputs: public_inputs.collect(),
        regions: regions(&recorded.annotations),
        cost: Cost {
            rows_used: shape.rows_used,
            rows_free: shape.rows_usable.saturating_sub(shape.rows_used),
            proof_bytes: prepared.as_ref().map(|prepared| prepared.proof_bytes),
            memory: estimate(&shape),
            keygen_seconds: keygen.as_secs_f64(),
            prove_seconds: speed.proof(&shape).as_secs_f64(),
            basis: format!(
                "the key's time {}; a proof's derived: {}",
                if prepared.is_some() {
                    "measured"
                } else {
                    "derived"
                },
                speed.basis()
            ),
        },
        shape,
    })
}

/// How fast this machine is now with circuits of that size.
fn measure(k: u32) -> anyhow::Result<Speed> {
    let params = ParamsDir::open(params_dir()?)?.proving(k)?;
    Ok(Speed::measure(&params)?)
}

fn show(inspection: &Inspection) {
    let shape = &inspection.shape;
    print::line(format_args!(
        "{}  circuit {}",
        inspection.plugin, inspection.circuit_digest
    ));
    print::line(format_args!(
        "  size       k = {}: {} rows, {} usable, {} used, {} free",
        shape.k,
        shape.rows,
        shape.rows_usable,
        inspection.cost.rows_used,
        inspection.cost.rows_free
    ));
    print::line(format_args!(
        "  columns    {} advice, {} fixed, {} instance, {} selectors",
        shape.advice_columns, shape.fixed_columns, shape.instance_columns, shape.selectors
    ));
    print::line(format_args!(
        "  degree     {}, over an extended domain of 2^{}",
        shape.degree, shape.extended_k
    ));
    list(
        "copies",
        &inspection.permutation,
        &format!("{} between", shape.copies),
    );
    list("constants", &inspection.constants, "in");
    for input in &inspection.public_inputs {
        print::line(format_args!(
            "  public     {} in {}, {} rows",
            input.name, input.column, input.rows
        ));
    }
    for gate in &inspection.gates {
        print::line(format_args!("gate '{}'", gate.name));
        for constraint in &gate.constraints {
            if !constraint.name.is_empty() {
                print::line(format_args!("  {}", constraint.name));
            }
            print::line(format_args!("    {}", constraint.formula));
        }
    }
    for (index, lookup) in inspection.lookups.iter().enumerate() {
        print::line(format_args!("lookup {index}\n    {lookup}"));
    }
    print::line("rows by region");
    for region in &inspection.regions {
        print::line(format_args!(
            "  {:>7} rows in {:>5}  {}",
            region.rows, region.regions, region.name
        ));
    }
    let cost = &inspection.cost;
    print::line("cost");
    if let Some(bytes) = cost.proof_bytes {
        print::line(format_args!("  proof      {bytes} bytes"));
    }
    print::line(format_args!(
        "  memory     at most {} for the key, {} more while proving",
        mebibytes(cost.memory.key_bytes),
        mebibytes(cost.memory.prove_bytes)
    ));
    print::line(format_args!(
        "  time       about {:.2} s for the key once, {:.2} s a proof",
        cost.keygen_seconds, cost.prove_seconds
    ));
    print::line(format_args!("  basis      {}", cost.basis));
}

fn list(name: &str, columns: &[String], words: &str) {
    if !columns.is_empty() {
        print::line(format_args!("  {name:<10} {words} {}", columns.join(", ")));
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

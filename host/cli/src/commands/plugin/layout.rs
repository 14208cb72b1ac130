//! `aureole plugin layout`: a picture of a circuit, as SVG or PNG.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;

use crate::commands::Context;
use crate::commands::recorded::Recorded;
use crate::print;

/// Draw a circuit: columns side by side, rows downward, regions as coloured boxes.
///
/// The picture shows what each column holds, what is unused, and the rows that blind the proof.
/// In an SVG, whatever is pointed at says its name.
#[derive(Debug, Args)]
pub(crate) struct Layout {
    /// Component
    #[arg(value_name = "FILE.wasm")]
    component: PathBuf,
    /// JSON file with the circuit's parameters, in place of the plugin's defaults
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Picture to write: a name that ends in .svg or .png
    #[arg(
        short = 'o',
        long = "out",
        value_name = "FILE",
        default_value = "layout.svg"
    )]
    out: PathBuf,
}

/// Draws.
pub(super) async fn run(context: &Context, options: &Layout) -> anyhow::Result<()> {
    let ending = options
        .out
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    if !["svg", "png"].contains(&ending) {
        bail!("{} ends neither in .svg nor in .png", options.out.display());
    }
    let recorded = Recorded::open(context, &options.component, options.params.as_deref()).await?;
    let picture = aureole_draw::layout(&recorded.circuit, &recorded.annotations, &recorded.label());
    let bytes = match ending {
        "png" => aureole_draw::png(&picture)?,
        _ => aureole_draw::svg(&picture).into_bytes(),
    };
    fs::write(&options.out, &bytes)
        .with_context(|| format!("could not write {}", options.out.display()))?;
    let document = json!({
        "plugin": recorded.label(),
        "picture": options.out,
        "bytes": bytes.len(),
    });
    print::result(context.output, &document, |_| {
        print::line(format_args!(
            "{}: {}",
            recorded.label(),
            options.out.display()
        ));
    })
}

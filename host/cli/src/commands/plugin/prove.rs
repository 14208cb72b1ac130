//! `aureole plugin prove`: one proof with a crate's component, with no node.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use super::examples;
use super::source::Source;
use crate::commands::{Context, local, read_json};

/// Prove one input on this machine, with no node.
#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    source: Source,
    /// JSON file with the input; `-` reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "example")]
    input: Option<PathBuf>,
    /// Take input and parameters from the crate's example of this name
    #[arg(long, value_name = "NAME", conflicts_with_all = ["input", "params"])]
    example: Option<String>,
    /// JSON file with the circuit's parameters, where the plugin's defaults will not do
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// Folder for the verification bundle
    #[arg(short = 'o', long = "out", value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Builds where there is a crate, then proves.
pub(super) async fn run(context: &Context, options: &Prove) -> anyhow::Result<()> {
    let Prove {
        source,
        input,
        example,
        params,
        out,
    } = options;
    let (params, input) = match (example, input) {
        (Some(name), _) => {
            let folder = source
                .folder()
                .context("examples stand in a crate's folder")?;
            let mut examples = examples::read(folder)?;
            let Some(at) = examples.iter().position(|example| example.name == *name) else {
                let names: Vec<String> = examples.into_iter().map(|example| example.name).collect();
                bail!(
                    "there is no example `{name}`; there are: {}",
                    names.join(", ")
                );
            };
            let example = examples.swap_remove(at);
            (example.params, example.input)
        }
        (None, Some(input)) => (
            params.as_deref().map(read_json).transpose()?,
            read_json(input)?,
        ),
        (None, None) => bail!("give --input FILE or --example NAME"),
    };
    local::run(context, source.component()?, params, input, out.as_deref()).await
}

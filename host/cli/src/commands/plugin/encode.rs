//! `aureole plugin encode`: a component of a module that another toolchain than cargo made.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use aureole_build::Component;
use clap::Args;

use super::build;
use crate::commands::Context;

/// Make a component of a core WebAssembly module, in whatever language it was written.
///
/// The module exports the functions of wit/circuit.wit under the canonical ABI's names, such as
/// `aureole:circuit/plugin@0.1.0#describe`, its memory and `cabi_realloc`. Crates need none of
/// this: `build` makes their component.
#[derive(Debug, Args)]
pub(crate) struct Encode {
    /// Core module
    #[arg(value_name = "MODULE.wasm")]
    module: PathBuf,
    /// Where the component goes
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: PathBuf,
}

/// Encodes and says what came of it.
pub(super) fn run(context: &Context, options: &Encode) -> anyhow::Result<()> {
    let Encode { module, out } = options;
    let shown = module.display();
    let bytes = fs::read(module).with_context(|| format!("could not read {shown}"))?;
    ensure!(
        bytes.starts_with(b"\0asm\x01\0\0\0"),
        "{shown} is no core WebAssembly module"
    );
    let name = module.file_stem().unwrap_or_default().to_string_lossy();
    let component = Component::from_module(&name, bytes)?;
    component.write(out)?;
    build::show(context, &component, out)
}

//! `cargo xtask`: everything a developer does beyond plain cargo, one verb each.

use std::process::ExitCode;

mod codegen;
mod plugins;

fn main() -> ExitCode {
    ExitCode::SUCCESS
}

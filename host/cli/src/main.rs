//! `aureole`, the one binary: a node, its child processes, and the commands that talk to a node.

use std::process::ExitCode;

use clap::Parser as _;

mod arguments;
mod bundle;
mod commands;
mod print;
mod progress;
mod workbench;

use arguments::{Arguments, Child, Command};

/// A coordinator allocates and frees small records of a task in different threads, many thousand a
/// second: with the allocator of glibc that is 8% of its time.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Before anything else: the first multiplication in a field would be the end.
    if let Err(error) = aureole_prover::processor() {
        print::failure(arguments.output, &error.into());
        return ExitCode::FAILURE;
    }
    // A child process of a node has no runtime, no log and no business with the rest.
    if let Command::Child(child) = &arguments.command {
        return aureole_worker::child::run(match child {
            Child::Compile => aureole_worker::child::Kind::Compile,
            Child::Sandbox => aureole_worker::child::Kind::Sandbox,
            Child::Prover => aureole_worker::child::Kind::Prover,
        });
    }
    let output = arguments.output;
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            print::failure(output, &error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let code = runtime.block_on(commands::run(arguments));
    // What still blocks a thread then (a name look-up, a read of a terminal) must not hold the exit.
    runtime.shutdown_background();
    code
}

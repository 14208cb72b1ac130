//! `aureole completions` and `aureole man`: what a shell and `man` are told of the commands. Both are
//! made from the command line's own declaration, so they cannot say anything else.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::print;

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "aureole", &mut script);
    print::line(String::from_utf8(script)?.trim_end());
    Ok(())
}

/// Writes a page for each command into a folder.
pub(crate) fn pages(folder: &Path) -> anyhow::Result<()> {
    let failed = || format!("could not write pages into {}", folder.display());
    std::fs::create_dir_all(folder).with_context(failed)?;
    let command = Arguments::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, folder).with_context(failed)?;
    print::line(format_args!("the pages are in {}", folder.display()));
    Ok(())
}

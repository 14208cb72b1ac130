//! `aureole plugin build`: the component that nodes take, the same bytes from every folder.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use aureole_build::{Component, Locked};
use clap::Args;
use serde_json::json;

use super::source;
use crate::commands::Context;
use crate::print;

/// Build a plugin's component.
///
/// The bytes depend on the sources, Cargo.lock and the toolchain only: whoever has these can check
/// by the digest what a node runs. What the environment and cargo's configuration files say of
/// compilers, flags and profiles is left out.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Folder of the plugin's crate
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Copy the component here as well
    #[arg(short = 'o', long = "out", value_name = "FILE")]
    out: Option<PathBuf>,
    /// Fail if Cargo.lock would have to change
    #[arg(long)]
    locked: bool,
    /// Aureole checkout with the SDK, where the crate's link to it is missing
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

/// Builds and says what came of it.
pub(super) fn run(context: &Context, options: &Build) -> anyhow::Result<()> {
    let locked = if options.locked {
        Locked::Yes
    } else {
        Locked::No
    };
    let (component, mut path) = source::build(&options.folder, options.sdk.as_deref(), locked)?;
    if let Some(out) = &options.out {
        component.write(out)?;
        path.clone_from(out);
    }
    show(context, &component, &path)
}

/// Says where a component is and what it is called.
pub(super) fn show(context: &Context, component: &Component, path: &Path) -> anyhow::Result<()> {
    let path = std::path::absolute(path).context("the current folder is gone")?;
    let (bytes, sha256) = (component.bytes.len(), component.sha256());
    let document = json!({
        "package": component.package,
        "version": component.version,
        "component": path,
        "bytes": bytes,
        "sha256": sha256,
    });
    print::result(context.output, &document, |_| {
        print::line(format_args!("{} {}", component.package, component.version));
        print::line(format_args!("  component  {}", path.display()));
        print::line(format_args!("  size       {bytes} bytes"));
        print::line(format_args!("  sha256     {sha256}"));
    })
}

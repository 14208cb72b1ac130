//! `aureole plugin publish`: build, check, sign, upload.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::check::{Findings, steps};
use super::host::Host;
use super::source::Source;
use super::{key, registry};
use crate::commands::Context;
use crate::progress;

/// Build and check a plugin, then upload it to a node.
///
/// Nothing is sent that the check refuses. With --key the component's digest is signed, and the
/// node shows who published the plugin; a node may take plugins of trusted signers only.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    source: Source,
    /// Key to sign with, made by `aureole plugin key new`
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Publishes.
pub(super) async fn run(context: &Context, options: &Publish) -> anyhow::Result<()> {
    let bytes = options.source.component()?;
    let host = Host::open(bytes.clone()).await?;
    let spinner = progress::spinner(context.output, "checking");
    let mut findings = Findings::default();
    let description = steps(&host, None, &mut findings).await;
    spinner.finish_and_clear();
    let Some(description) = description else {
        bail!("a node would refuse the plugin: {}", findings.refusal());
    };
    let signature = match &options.key {
        Some(file) => Some(key::sign(file, host.component().as_bytes())?),
        None => None,
    };
    let name = format!("{}@{}", description.name, description.version);
    registry::send(context, bytes, &name, signature).await
}

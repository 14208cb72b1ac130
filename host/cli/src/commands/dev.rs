//! `aureole dev`: a node with everything embedded, or a whole cluster on this machine.

mod cluster;

use std::process::ExitCode;

use aureole_node::telemetry;

use super::{Context, serve};
use crate::arguments::Dev;
use crate::print;

/// Runs a node, or a cluster of processes, until SIGINT or SIGTERM.
pub(crate) async fn run(context: &Context, options: Dev) -> anyhow::Result<ExitCode> {
    if let Some(nodes) = options.nodes {
        return cluster::run(context, nodes, options.workers, options.settings).await;
    }
    let config = serve::configure(options.settings, &[], None)?;
    telemetry::install(&config.log)?;
    serve::node(context, config, |url| {
        print::announce(format_args!(
            "aureole is ready at {}",
            url.unwrap_or_default()
        ));
        print::announce("  upload a plugin:  aureole plugin upload FILE.wasm");
        print::announce("  stop:             Ctrl-C");
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

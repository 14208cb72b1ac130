//! `aureole dev`: a node with everything embedded, or a whole cluster on this machine.

mod cluster;

use std::process::ExitCode;

use aureole_node::{Access, first_key, telemetry};

use super::{Context, serve};
use crate::arguments::Dev;
use crate::print;

/// Runs a node, or a cluster of processes, until SIGINT or SIGTERM.
pub(crate) async fn run(context: &Context, options: Dev) -> anyhow::Result<ExitCode> {
    if let Some(nodes) = options.nodes {
        return cluster::run(context, nodes, options.workers, options.settings).await;
    }
    let mut config = serve::configure(options.settings, &[], None)?;
    let told = telemetry::install(&config)?;
    let first = match config.access {
        // Whoever configured a first key has it.
        Access {
            bootstrap_key: None,
            bootstrap_key_file: None,
            ..
        } => Some(first_key(&config.data_dir)?),
        _ => None,
    };
    if let Some((key, _)) = &first {
        config.access.bootstrap_key = Some(key.hash().to_string());
    }
    let ended = serve::node(context, config, |url| {
        let url = url.unwrap_or_default();
        print::announce(format_args!("aureole is ready at {url}"));
        if let Some((key, path)) = &first {
            print::announce(format_args!(
                "  with curl:        curl -sS {url}/api/v1/me -H 'authorization: Bearer {}'",
                *key.text()
            ));
            let path = path.display();
            print::announce(format_args!(
                "  with aureole:     in this folder no key is needed; elsewhere --key-file {path}"
            ));
        }
        print::announce(format_args!(
            "  in a browser:     {url}/console, with the same key"
        ));
        print::announce("  upload a plugin:  aureole plugin upload FILE.wasm");
        print::announce("  stop:             Ctrl-C");
    })
    .await;
    serve::close(told).await?;
    ended?;
    Ok(ExitCode::SUCCESS)
}

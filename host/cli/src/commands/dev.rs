//! `aureole dev`: a node with everything embedded.

use aureole_node::{Config, LogFormat as NodeLogFormat, Node, telemetry};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::Context;
use crate::arguments::{Dev, LogFormat};
use crate::print;

/// Runs a node until SIGINT or SIGTERM.
pub(crate) async fn run(context: &Context, options: Dev) -> anyhow::Result<()> {
    let config = configure(options)?;
    telemetry::install(&config.log)?;
    let node = Node::start(config).await?;
    let url = format!("http://{}", node.http_addr());
    print::result(
        context.output,
        &json!({"event": "ready", "url": url}),
        |_| {
            print::line(format_args!("aureole is ready at {url}"));
            print::line("  upload a plugin:  aureole plugin upload FILE.wasm");
            print::line("  stop:             Ctrl-C");
        },
    )?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let asked = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    node.run_until(asked).await;
    Ok(())
}

/// The file, then the flags over it.
fn configure(options: Dev) -> anyhow::Result<Config> {
    let mut config = match &options.config {
        Some(file) => Config::load(file)?,
        None => Config::default(),
    };
    if let Some(data_dir) = options.data_dir {
        config.data_dir = data_dir;
    }
    config.params_dir = options.params_dir.or(config.params_dir);
    if let Some(listen) = options.listen {
        config.http.listen = listen;
    }
    if let Some(slots) = options.slots {
        config.worker.slots = slots;
    }
    if let Some(format) = options.log_format {
        config.log.format = match format {
            LogFormat::Human => NodeLogFormat::Human,
            LogFormat::Json => NodeLogFormat::Json,
        };
    }
    if let Some(filter) = options.log {
        config.log.filter = filter;
    }
    Ok(config.validate()?)
}

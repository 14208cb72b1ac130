//! `aureole serve`: one process of a cluster, and what every process does at its start and end.

use anyhow::anyhow;
use aureole_node::tls::Token;
use aureole_node::{Config, LogFormat as NodeLogFormat, Node, NodeRole, enrol, telemetry};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::Context;
use crate::arguments::{LogFormat, Role, Serve, Settings};
use crate::print;

/// Runs a process until SIGINT or SIGTERM.
pub(crate) async fn run(context: &Context, options: Serve) -> anyhow::Result<()> {
    let config = configure(options.settings, &options.role, options.join.as_deref())?;
    let told = telemetry::install(&config)?;
    if let (Some(address), Some(file)) = (&options.join, &options.token_file) {
        enrol(&config, address, &Token::load(file)?).await?;
    }
    let roles: Vec<_> = config.roles.iter().map(|role| role.name()).collect();
    let roles = roles.join(", ");
    let ended = node(context, config, |url| {
        print::announce(match url {
            Some(url) => format!("aureole ({roles}) is ready at {url}"),
            None => format!("aureole ({roles}) is ready"),
        });
    })
    .await;
    close(told).await?;
    ended
}

/// Sends the spans that wait, which blocks.
pub(super) async fn close(told: telemetry::Installed) -> anyhow::Result<()> {
    Ok(tokio::task::spawn_blocking(move || told.close()).await?)
}

/// Runs a node until SIGINT or SIGTERM; telemetry is installed.
pub(super) async fn node(
    context: &Context,
    config: Config,
    greet: impl FnOnce(Option<&str>),
) -> anyhow::Result<()> {
    no_core_files()?;
    // Before the start: whoever is told to stop while it starts stops too.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let asked = async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let node = Node::start(config).await?;
    let url = node.http_addr().map(|address| format!("http://{address}"));
    let metrics = node.metrics_addr();
    let metrics = metrics.map(|address| format!("http://{address}/metrics"));
    let ready = json!({"event": "ready", "url": url, "metrics": metrics});
    print::announcement(context.output, &ready, |_| greet(url.as_deref()))?;
    match node.run_until(asked).await {
        // A failure, so that a supervisor starts it again and an operator hears of it.
        Some(reason) => Err(anyhow!(reason)),
        None => Ok(()),
    }
}

/// A process that holds private inputs must not leave them in a file when it crashes. Its children
/// start with the limit, and set it themselves all the same.
fn no_core_files() -> anyhow::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(|error| anyhow!("core files stay possible: {error}"))
}

fn node_role(role: Role) -> NodeRole {
    match role {
        Role::Coordinator => NodeRole::Coordinator,
        Role::Gateway => NodeRole::Gateway,
        Role::Worker => NodeRole::Worker,
    }
}

/// The file, then the flags over it.
pub(super) fn configure(
    options: Settings,
    roles: &[Role],
    join: Option<&str>,
) -> anyhow::Result<Config> {
    let mut config = match &options.config {
        Some(file) => Config::load(file)?,
        None => Config::default(),
    };
    if !roles.is_empty() {
        config.roles = roles.iter().map(|role| node_role(*role)).collect();
    }
    if let Some(address) = join {
        let known = &mut config.cluster.coordinators;
        if !known.iter().any(|known| known == address) {
            known.insert(0, address.to_owned());
        }
    }
    if let Some(data_dir) = options.data_dir {
        config.data_dir = data_dir;
    }
    config.params_dir = options.params_dir.or(config.params_dir);
    if let Some(file) = options.bootstrap_key_file {
        config.access.bootstrap_key = None;
        config.access.bootstrap_key_file = Some(file);
    }
    if let Some(listen) = options.listen {
        config.http.listen = listen;
    }
    config.traces.endpoint = options.traces_endpoint.or(config.traces.endpoint);
    config.metrics.listen = options.metrics_listen.or(config.metrics.listen);
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

//! Submits an input, follows the task, and checks the digests of what came of it.
//!
//! `cargo run -p aureole-client --example prove -- http://localhost:8080 merkle input.json`, with the
//! API key in `AUREOLE_KEY` where the node asks for one.

use std::error::Error;
use std::time::Duration;

use aureole_client::{Bundle, Client};
use futures::StreamExt as _;
use serde_json::Value;

/// From an input to its proof.
pub(crate) async fn prove(
    client: &Client,
    plugin: &str,
    input: &Value,
) -> Result<Bundle, Box<dyn Error>> {
    let task = client.submit_to(plugin, input).await?;
    let watch = client.watch(&task.id, Duration::from_secs(300));
    let mut watch = std::pin::pin!(watch);
    while let Some(seen) = watch.next().await {
        let seen = seen?;
        let stage = seen.stage.map_or("", |stage| stage.name());
        let left = seen
            .ends_in_ms
            .map_or(String::new(), |ms| format!("{ms} ms left"));
        eprintln!("{} {} {stage} {left}", seen.task, seen.state);
    }
    Ok(client.bundle(&task.id).await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [node, plugin, input] = arguments.as_slice() else {
        return Err("give a node, a plugin and a file with an input".into());
    };
    let mut builder = Client::builder(node);
    if let Ok(key) = std::env::var("AUREOLE_KEY") {
        builder = builder.key(key);
    }
    let input = serde_json::from_slice(&std::fs::read(input)?)?;
    let bundle = prove(&builder.build()?, plugin, &input).await?;
    eprintln!("a proof of {} bytes", bundle.proof.len());
    Ok(())
}

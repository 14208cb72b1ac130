//! Promise P13: the same plugin and parameters are the same circuit and the same key on every node,
//! every time it is asked.

use std::collections::BTreeSet;
use std::path::Path;

use aureole_store::{Depot, Digest};
use aureole_tests::{binary, params_dir, plugin};
use aureole_worker::{ChildCommand, Provers, ProversConfig, Sandboxes, SandboxesConfig};
use serde_json::json;

use crate::story::number_of_rounds;

/// How often each node is asked in a round. Ten rounds are the thousand times that are promised.
const TIMES: usize = 100;

fn child() -> anyhow::Result<ChildCommand> {
    Ok(ChildCommand {
        program: binary()?,
        args: vec!["child".to_owned()],
    })
}

/// What a node of its own, with fresh processes and folders, makes of a plugin, time after time: the
/// circuits' digests, and the key of the last one.
async fn made(
    folder: &Path,
    component: &[u8],
    params: &[u8],
) -> anyhow::Result<(BTreeSet<String>, String)> {
    let depot = Depot::open(&folder.join("depot"))?;
    let config = SandboxesConfig::new(child()?, folder.join("code"));
    let sandboxes = Sandboxes::new(config, depot.clone().into())?;
    let component = depot.put(component.to_vec()).await?;
    let mut digests = BTreeSet::new();
    let mut circuit = Vec::new();
    for _ in 0..TIMES {
        circuit = sandboxes.circuit(&component, params).await?.value;
        digests.insert(Digest::of(&circuit).to_string());
    }
    let config = ProversConfig::new(child()?, params_dir()?, 1);
    let prepared = Provers::new(config, depot.into()).prepare(&circuit).await?;
    Ok((digests, prepared.key_digest))
}

#[tokio::test]
async fn a_plugin_gives_the_same_circuit_and_key_on_every_node_every_time() -> anyhow::Result<()> {
    let plugins = [
        (plugin("preimage")?, json!({})),
        (plugin("merkle")?, json!({"depth": 3})),
    ];
    let mut found = vec![BTreeSet::new(); plugins.len()];
    let rounds = number_of_rounds()?;
    for _ in 0..rounds {
        for ((component, params), found) in plugins.iter().zip(&mut found) {
            let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
            let params = params.to_string();
            found.insert(made(one.path(), component, params.as_bytes()).await?);
            found.insert(made(other.path(), component, params.as_bytes()).await?);
        }
    }
    eprintln!("{} times on each of two nodes: {found:?}", rounds * TIMES);
    for found in found {
        let (digests, _) = found
            .first()
            .ok_or_else(|| anyhow::anyhow!("nothing made"))?;
        assert_eq!((found.len(), digests.len()), (1, 1), "{found:?}");
    }
    Ok(())
}

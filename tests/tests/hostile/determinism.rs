//! The same plugin on two nodes, in processes of their own: the same description, circuit, key and
//! witness, or somebody could be shown another key than the one that is proved with.

use std::path::Path;

use anyhow::Context as _;
use aureole_handmade::sources;
use aureole_store::{Depot, Digest, Secret};
use aureole_tests::{Node, binary, http, merkle_input, plugin};
use aureole_worker::{ChildCommand, Sandboxes, SandboxesConfig};
use serde_json::{Value, json};

/// What a node says of a plugin and its circuits, without the times.
async fn record(component: &[u8], circuits: &[Value]) -> anyhow::Result<Vec<Value>> {
    let node = Node::start()?;
    let uploaded = node.upload(component.to_vec()).await?;
    let path = format!("/api/v1/plugins/{}", uploaded.digest);
    let mut said = vec![http::get(node.url(), &path)?.json()?];
    let name = uploaded.name.context("it has a name")?;
    for params in circuits {
        let circuit = node.circuit(&name, params.clone()).await?;
        said.push(serde_json::to_value(&circuit)?);
        let bytes = http::get(node.url(), &format!("/api/v1/circuits/{}/ir", circuit.id))?;
        said.push(json!(Digest::of(&bytes.body).to_string()));
    }
    for document in &mut said {
        if let Some(document) = document.as_object_mut() {
            document.remove("registered_at");
        }
    }
    Ok(said)
}

#[tokio::test]
async fn two_nodes_say_the_same_of_a_plugin_and_make_the_same_keys() -> anyhow::Result<()> {
    let sources = sources().build();
    let merkle = plugin("merkle")?;
    for (component, circuits) in [
        (&sources, vec![json!({}), json!([1, 2, 3])]),
        (
            &merkle,
            vec![
                json!({"depth": 3}),
                json!({"depth": 4, "public_leaf": true}),
            ],
        ),
    ] {
        let one = record(component, &circuits).await?;
        let other = record(component, &circuits).await?;
        assert_eq!(one, other);
        assert_eq!(one.len(), 1 + 2 * circuits.len());
        let key = one
            .get(1)
            .and_then(|circuit| circuit["key_digest"].as_str());
        assert!(key.is_some(), "{one:?}");
    }
    Ok(())
}

/// The digest of a witness that a sandbox with a folder and processes of its own computes.
async fn witness(folder: &Path, component: &[u8], input: &Value) -> anyhow::Result<Digest> {
    let command = ChildCommand {
        program: binary()?,
        args: vec!["child".to_owned()],
    };
    let depot = Depot::open(&folder.join("depot"))?;
    let config = SandboxesConfig::new(command, folder.join("code"));
    let sandboxes = Sandboxes::new(config, depot.clone().into())?;
    let component = depot.put(component.to_vec()).await?;
    let described = sandboxes.describe(&component).await?.value;
    let params = described.default_params.context("it has defaults")?;
    let input = Secret::new(input.to_string().into_bytes());
    let made = sandboxes
        .witness(&component, params.to_string().as_bytes(), &input)
        .await?;
    Ok(Digest::of(made.value.expose()))
}

#[tokio::test]
async fn two_sandboxes_compute_the_same_witness_byte_for_byte() -> anyhow::Result<()> {
    for (component, input) in [
        (sources().build(), json!([1, 2])),
        (plugin("merkle")?, merkle_input()),
    ] {
        let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let first = witness(one.path(), &component, &input).await?;
        assert_eq!(first, witness(other.path(), &component, &input).await?);
    }
    Ok(())
}

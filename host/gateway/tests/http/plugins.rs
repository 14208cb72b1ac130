//! Uploading, listing, showing and retiring plugins, and registering circuits, by the client.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aureole_client::rest::{CircuitRequest, PluginState};
use bytes::Bytes;
use serde_json::json;

use crate::{
    house::{CIRCUIT, CIRCUIT_BYTES},
    wire::server,
};

const LONG: Duration = Duration::from_secs(15);

#[tokio::test]
async fn an_upload_is_created_once_and_found_again() {
    let server = server().await;
    let (plugin, new) = server
        .client
        .upload_plugin("good".into(), LONG, |_, _| {})
        .await
        .unwrap();
    assert!(new);
    let (again, new) = server
        .client
        .upload_plugin("good".into(), LONG, |_, _| {})
        .await
        .unwrap();
    assert!(!new);
    assert_eq!(plugin, again);
    for name in ["merkle", "merkle@0.1.0", plugin.digest.as_str()] {
        assert_eq!(
            server.client.plugin(name, Duration::ZERO).await.unwrap(),
            plugin,
            "{name}"
        );
    }
    assert_eq!(server.client.plugins().await.unwrap().plugins, [plugin]);
}

#[tokio::test]
async fn an_upload_tells_its_progress_to_the_last_byte() {
    let server = server().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let component = Bytes::from(vec![b'x'; 200_000]);
    let note = move |sent, total| keep.lock().unwrap().push((sent, total));
    server
        .client
        .upload_plugin(component, LONG, note)
        .await
        .unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.len() > 2 && seen.is_sorted());
    assert_eq!(seen.last(), Some(&(200_000, 200_000)));
}

#[tokio::test]
async fn an_upload_waits_for_the_end_of_the_inspection() {
    let server = server().await;
    let client = server.client.clone();
    let upload =
        tokio::spawn(async move { client.upload_plugin("slow".into(), LONG, |_, _| {}).await });
    server.house.until(|facts| facts.waits == 1).await;
    server.house.change(|facts| {
        facts
            .plugins
            .values_mut()
            .for_each(|plugin| plugin.state = PluginState::Ready);
    });
    let (plugin, new) = upload.await.unwrap().unwrap();
    assert_eq!((plugin.state, new), (PluginState::Ready, true));
}

#[tokio::test]
async fn an_upload_without_a_wait_is_accepted_while_it_is_inspected() {
    let server = server().await;
    let (plugin, new) = server
        .client
        .upload_plugin("slow".into(), Duration::ZERO, |_, _| {})
        .await
        .unwrap();
    assert_eq!((plugin.state, new), (PluginState::Inspecting, true));
    let reply = server
        .post_as(
            "/api/v1/plugins?wait=0s",
            "content-type: application/wasm\r\n",
            "slow",
        )
        .await;
    assert_eq!(reply.status, 202);
    let location = reply.header("location").unwrap().to_owned();
    assert_eq!(server.ask("GET", &location).await.status, 200);
}

#[tokio::test]
async fn a_rejected_component_answers_the_reason() {
    let server = server().await;
    let error = server
        .client
        .upload_plugin("bad".into(), LONG, |_, _| {})
        .await
        .unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!(
        (problem.code(), problem.status()),
        ("plugin.import_denied", 422)
    );
    assert_eq!(problem.detail(), "wasi:cli/environment@0.2.0");
}

#[tokio::test]
async fn a_plugin_is_retired_by_its_exact_name_only() {
    let server = server().await;
    let (plugin, _) = server
        .client
        .upload_plugin("good".into(), LONG, |_, _| {})
        .await
        .unwrap();
    let vague = server.client.retire_plugin("merkle").await.unwrap_err();
    assert_eq!(vague.problem().unwrap().code(), "plugin.version_required");
    for name in ["merkle@0.1.0", plugin.digest.as_str()] {
        let retired = server.client.retire_plugin(name).await.unwrap();
        assert_eq!(retired.state, PluginState::Retired);
    }
}

#[tokio::test]
async fn a_circuit_is_registered_shown_and_downloaded() {
    let server = server().await;
    let asked = |params| CircuitRequest {
        plugin: "merkle".parse().unwrap(),
        params,
    };
    let (circuit, new) = server
        .client
        .put_circuit(&asked(Some(json!({"depth": 3}))), LONG)
        .await
        .unwrap();
    assert!(new && circuit.params == json!({"depth": 3}));
    let (circuit, new) = server.client.put_circuit(&asked(None), LONG).await.unwrap();
    assert!(!new);
    assert_eq!(
        server
            .client
            .circuit(CIRCUIT, Duration::ZERO)
            .await
            .unwrap(),
        circuit
    );
    assert_eq!(
        server.client.circuit_ir(CIRCUIT).await.unwrap(),
        CIRCUIT_BYTES
    );
    let rejected = server
        .client
        .put_circuit(&asked(Some(json!("huge"))), LONG)
        .await
        .unwrap_err();
    assert_eq!(rejected.problem().unwrap().code(), "ir.k");
}

#[tokio::test]
async fn a_client_that_is_refused_early_tells_the_refusal_and_not_a_broken_pipe() {
    let config = aureole_gateway::Config {
        component_max: 10,
        ..Default::default()
    };
    let server = crate::wire::server_with(config).await;
    let component = Bytes::from(vec![b'x'; 4 * 1024 * 1024]);
    let error = server
        .client
        .upload_plugin(component, LONG, |_, _| {})
        .await
        .unwrap_err();
    assert!(error.code() == Some("plugin.too_large"), "{error:?}");
}

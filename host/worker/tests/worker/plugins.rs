//! Plugins in sandbox children.

use std::time::Duration;

use aureole_store::{Digest, Secret};
use aureole_worker::{Error, Sandboxes};

use crate::fixture::{Fixture, component_with, eventually, upload};

fn input(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

#[tokio::test]
async fn a_plugin_is_compiled_once_and_then_called() {
    let fixture = Fixture::new("plugin");
    let component = upload(&fixture.depot).await;
    let sandboxes = fixture.sandboxes();
    assert!(sandboxes.compile(&component).await.unwrap() > Duration::ZERO);
    assert_eq!(sandboxes.compile(&component).await.unwrap(), Duration::ZERO);
    assert_eq!(
        sandboxes.describe(&component).await.unwrap().value.name,
        "tiny"
    );
    let circuit = sandboxes.circuit(&component, b"{}").await.unwrap().value;
    assert_eq!(aureole_ir::Circuit::decode(&circuit).unwrap().k, 4);
    let witness = sandboxes
        .witness(&component, b"{}", &input("{}"))
        .await
        .unwrap()
        .value;
    assert_eq!(
        aureole_ir::Witness::decode(witness.expose())
            .unwrap()
            .advice_rows,
        [1, 0]
    );
    assert!(
        !sandboxes
            .annotate(&component, b"{}")
            .await
            .unwrap()
            .value
            .is_empty()
    );
}

#[tokio::test]
async fn a_call_compiles_what_is_not_compiled_yet() {
    let fixture = Fixture::new("uncompiled");
    let component = upload(&fixture.depot).await;
    assert_eq!(
        fixture
            .sandboxes()
            .describe(&component)
            .await
            .unwrap()
            .value
            .version,
        "0.1.0"
    );
}

#[tokio::test]
async fn a_hostile_loop_ends_by_timeout_and_the_next_call_works() {
    let fixture = Fixture::new("loop");
    let component = upload(&fixture.depot).await;
    let sandboxes = fixture.sandboxes();
    let error = sandboxes
        .witness(&component, b"{}", &input("spin"))
        .await
        .unwrap_err();
    assert_eq!(error.to_problem().0.code, "plugin.timeout");
    let error = sandboxes
        .witness(&component, b"{}", &input("panic"))
        .await
        .unwrap_err();
    assert_eq!(error.to_problem().0.code, "plugin.trap");
    sandboxes
        .witness(&component, b"{}", &input("{}"))
        .await
        .unwrap();
    assert_eq!(fixture.children("sandbox").len(), 1);
}

#[tokio::test]
async fn a_loop_at_instantiation_ends_by_timeout() {
    let fixture = Fixture::new("start");
    let bytes = component_with(
        "(func $start (loop $l (br $l))) (start $start)",
        "i32.const 1024",
        "i32.const 1920",
    );
    let component = fixture.depot.put(bytes).await.unwrap();
    let error = fixture.sandboxes().describe(&component).await.unwrap_err();
    assert_eq!(error.to_problem(), (error.to_problem().0, false));
    assert_eq!(error.to_problem().0.code, "plugin.timeout");
}

#[tokio::test]
async fn what_is_no_component_is_refused_by_the_scan() {
    let fixture = Fixture::new("scan");
    let text = fixture
        .depot
        .put(b"not a component".to_vec())
        .await
        .unwrap();
    let error = fixture.sandboxes().compile(&text).await.unwrap_err();
    let (problem, retryable) = error.to_problem();
    assert!(
        problem.code.starts_with("plugin.") && !retryable,
        "{problem}"
    );
}

#[tokio::test]
async fn parameters_that_are_not_text_are_refused() {
    let fixture = Fixture::new("utf8");
    let component = upload(&fixture.depot).await;
    let error = fixture
        .sandboxes()
        .circuit(&component, b"{\xff}")
        .await
        .unwrap_err();
    assert_eq!(error.to_problem().0.code, "params.invalid");
}

#[tokio::test]
async fn a_component_that_nobody_has_is_an_error_of_the_depot() {
    let fixture = Fixture::new("nobody");
    let error = fixture
        .sandboxes()
        .describe(&Digest::of(b""))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Depot(_)), "{error}");
}

#[tokio::test]
async fn the_heaviest_component_that_the_scan_lets_pass_compiles_in_its_child() {
    let fixture = Fixture::new("heavy");
    let component = aureole_handmade::heaviest();
    let component = fixture.depot.put(component).await.unwrap();
    let took = fixture.sandboxes().compile(&component).await.unwrap();
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert!(fixture.children("compile").is_empty());
}

#[tokio::test]
async fn calls_that_spin_wait_for_each_other_and_not_the_neighbour_for_them() {
    let fixture = Fixture::new("spin");
    let spinning = upload(&fixture.depot).await;
    let neighbour = component_with("", "i32.const 1024", "(nop) i32.const 1920");
    let neighbour = fixture.depot.put(neighbour).await.unwrap();
    let mut config = fixture.sandboxes_config();
    config.size = 2;
    // Long enough that nothing but a share explains why the neighbour is answered.
    config.limits.call_time = Duration::from_secs(300);
    let sandboxes = Sandboxes::new(config, fixture.depot.clone().into()).unwrap();
    sandboxes.compile(&spinning).await.unwrap();
    sandboxes.compile(&neighbour).await.unwrap();
    let spins: Vec<_> = (0..100)
        .map(|_| {
            let sandboxes = sandboxes.clone();
            tokio::spawn(async move {
                let _ = sandboxes.witness(&spinning, b"{}", &input("spin")).await;
            })
        })
        .collect();
    eventually(|| !fixture.children("sandbox").is_empty()).await;
    for _ in 0..20 {
        sandboxes
            .witness(&neighbour, b"{}", &input("{}"))
            .await
            .unwrap();
    }
    assert!(spins.iter().all(|spin| !spin.is_finished()));
    assert!(fixture.children("sandbox").len() <= 2);
    spins.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn what_is_compiled_does_not_wait_for_a_compilation() {
    let fixture = Fixture::new("queue");
    let known = upload(&fixture.depot).await;
    let sandboxes = fixture.sandboxes();
    sandboxes.compile(&known).await.unwrap();
    let heavy = fixture
        .depot
        .put(aureole_handmade::heaviest())
        .await
        .unwrap();
    let compiling = tokio::spawn({
        let sandboxes = sandboxes.clone();
        async move { sandboxes.compile(&heavy).await }
    });
    eventually(|| !fixture.children("compile").is_empty()).await;
    sandboxes.compile(&known).await.unwrap();
    assert!(!compiling.is_finished());
    compiling.await.unwrap().unwrap();
}

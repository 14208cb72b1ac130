//! The worker against scripted coordinators: from leases to results.

use aureole_api::internal::v1::complete_request::Result as Outcome;
use aureole_api::internal::v1::{self, lease::Work};
use aureole_prover::Verdict;
use aureole_store::Digest;

use crate::coordinators::Said;
use crate::fixture::{component_with, eventually};
use crate::scene::{Scene, attempt};

#[tokio::test]
async fn a_plugin_is_inspected_and_its_default_circuit_prepared() {
    let mut scene = Scene::new("inspect", 1).await;
    let result = scene.inspect().await;
    assert_eq!(
        (result.name.as_str(), result.version.as_str()),
        ("tiny", "0.1.0")
    );
    let fixture = &scene.fixture;
    let description = fixture.blob(&result.description).await;
    let description: serde_json::Value = serde_json::from_slice(&description).unwrap();
    assert_eq!(description["summary"], "Small.");
    assert_eq!(fixture.blob(&result.default_params.unwrap()).await, b"{}");
    let circuit = result.default_circuit.unwrap();
    assert_eq!((circuit.k, circuit.key.len()), (4, 32));
    let report: serde_json::Value =
        serde_json::from_slice(&fixture.blob(&circuit.report).await).unwrap();
    assert_eq!(report["proof_bytes"], circuit.proof_bytes);
    assert_eq!(report["circuit_digest"], hex::encode(&circuit.circuit));
    fixture.blob(&circuit.circuit).await;
}

#[tokio::test]
async fn a_circuit_is_prepared_for_parameters() {
    let mut scene = Scene::new("prepare", 1).await;
    let work = Work::PrepareCircuit(v1::PrepareCircuit {
        component: scene.component.as_bytes().to_vec(),
        params: scene
            .fixture
            .depot
            .put(b"{}".to_vec())
            .await
            .unwrap()
            .as_bytes()
            .to_vec(),
    });
    scene.coordinators.lease(attempt(1), work).await;
    let done = scene.heard.completion().await;
    assert!(matches!(done.result, Some(Outcome::CircuitPrepared(_))));
    assert!(
        done.timings
            .iter()
            .any(|timing| timing.stage() == v1::Stage::Keygen)
    );
}

#[tokio::test]
async fn an_input_becomes_a_proof_that_verifies_elsewhere() {
    let mut scene = Scene::new("prove", 1).await;
    let inspected = scene.inspect().await;
    scene.prove_more(1, "{}", &inspected).await;
    for stage in [v1::Stage::Witness, v1::Stage::Check, v1::Stage::Prove] {
        scene.heard.stage(stage).await;
    }
    let done = scene.heard.completion().await;
    assert_eq!(done.attempt, Some(attempt(1)));
    let Some(Outcome::Proved(proved)) = done.result else {
        panic!("{done:?}")
    };
    let fixture = &scene.fixture;
    let proof = fixture.blob(&proved.proof).await;
    let public_inputs = fixture.blob(&proved.public_inputs).await;
    let circuit = Digest::from_slice(&inspected.default_circuit.unwrap().circuit).unwrap();
    let verifiers = scene.fixture.provers();
    let (verdict, _) = verifiers
        .verify(&circuit, &public_inputs, &proof)
        .await
        .unwrap();
    assert_eq!(verdict, Verdict::Valid);
}

#[tokio::test]
async fn a_completion_is_offered_until_it_is_taken() {
    let mut scene = Scene::new("offer", 1).await;
    scene.coordinators.be_unavailable(3);
    assert_eq!(scene.inspect().await.name, "tiny");
}

#[tokio::test]
async fn a_plugin_that_panics_fails_its_attempt_for_good() {
    let mut scene = Scene::new("panic", 1).await;
    scene.prove(1, "panic").await;
    let failure = scene.heard.failure().await;
    assert_eq!(failure.problem.unwrap().code, "plugin.trap");
    assert!(!failure.retryable);
}

#[tokio::test]
async fn a_bad_component_is_refused_with_its_reason() {
    let mut scene = Scene::new("bad", 1).await;
    let bytes = component_with("", "unreachable", "unreachable");
    scene.component = scene.fixture.depot.put(bytes).await.unwrap();
    let component = scene.component.as_bytes().to_vec();
    let work = Work::InspectPlugin(v1::InspectPlugin { component });
    scene.coordinators.lease(attempt(1), work).await;
    assert_eq!(
        scene.heard.failure().await.problem.unwrap().code,
        "plugin.trap"
    );
}

#[tokio::test]
async fn an_input_whose_key_is_gone_is_lost() {
    let mut scene = Scene::new("keyless", 1).await;
    let inspected = scene.inspect().await;
    let sealed = scene.fixture.depot.put(b"sealed".to_vec()).await.unwrap();
    let work = |input: Digest, input_key: Vec<u8>| {
        Work::Prove(v1::Prove {
            component: scene.component.as_bytes().to_vec(),
            params: inspected.default_params.clone().unwrap(),
            circuit: inspected.default_circuit.clone().unwrap().circuit,
            input: input.as_bytes().to_vec(),
            input_key,
        })
    };
    let no_key = work(sealed, Vec::new());
    let wrong_key = work(sealed, vec![1; 32]);
    let no_input = work(Digest::of(b"nowhere"), vec![1; 32]);
    for (number, work) in [no_key, wrong_key, no_input].into_iter().enumerate() {
        scene
            .coordinators
            .lease(attempt(number.try_into().unwrap()), work)
            .await;
        let failure = scene.heard.failure().await;
        assert_eq!(failure.problem.unwrap().code, "task.input_lost");
        eventually(|| scene.worker.running() == 0).await;
    }
}

#[tokio::test]
async fn a_lease_with_a_malformed_digest_fails() {
    let mut scene = Scene::new("digest", 1).await;
    let work = Work::InspectPlugin(v1::InspectPlugin {
        component: vec![1, 2, 3],
    });
    scene.coordinators.lease(attempt(1), work).await;
    assert_eq!(
        scene.heard.failure().await.problem.unwrap().code,
        "task.worker_failed"
    );
}

#[tokio::test]
async fn a_cancel_kills_the_child_and_the_next_lease_works() {
    let mut scene = Scene::new("cancel", 1).await;
    scene.prove(1, "spin").await;
    scene.heard.stage(v1::Stage::Witness).await;
    let busy = scene.fixture.children("sandbox");
    scene.coordinators.cancel(attempt(1)).await;
    scene.fixture.gone("sandbox", &busy).await;
    eventually(|| scene.worker.running() == 0).await;
    // `completion` would panic at a failure: a cancelled attempt says nothing more.
    assert_eq!(scene.inspect().await.name, "tiny");
}

#[tokio::test]
async fn heartbeats_name_what_runs_and_a_lost_lease_ends_it() {
    let mut scene = Scene::new("lost", 1).await;
    scene.prove(1, "spin").await;
    scene
        .heard
        .wait(|said| match said {
            Said::Heartbeat(beat) if beat.running == [attempt(1)] => Some(()),
            _ => None,
        })
        .await;
    scene.coordinators.lose(attempt(1));
    eventually(|| scene.worker.running() == 0).await;
    assert_eq!(scene.inspect().await.name, "tiny");
}

#[tokio::test]
async fn a_lost_stream_is_rejoined_with_what_still_runs() {
    let mut scene = Scene::new("rejoin", 1).await;
    scene.prove(1, "spin").await;
    scene.heard.stage(v1::Stage::Witness).await;
    scene.coordinators.hang_up();
    assert_eq!(scene.heard.join().await.running, [attempt(1)]);
    scene.coordinators.cancel(attempt(1)).await;
    eventually(|| scene.worker.running() == 0).await;
}

#[tokio::test]
async fn a_lease_beyond_the_slots_is_handed_back() {
    let mut scene = Scene::new("slots", 1).await;
    let inspected = scene.inspect().await;
    scene.prove_more(1, "spin", &inspected).await;
    scene.heard.stage(v1::Stage::Witness).await;
    scene.prove_more(2, "{}", &inspected).await;
    let failure = scene.heard.failure().await;
    assert_eq!(failure.attempt, Some(attempt(2)));
    assert_eq!(failure.problem.unwrap().code, "task.handed_back");
    // Repeating a lease that runs is no second lease.
    scene.prove_more(1, "{}", &inspected).await;
    assert_eq!(scene.worker.running(), 1);
}

#[tokio::test]
async fn draining_hands_back_what_does_not_end_in_time() {
    let mut scene = Scene::new("drain", 1).await;
    scene.prove(1, "spin").await;
    scene.heard.stage(v1::Stage::Witness).await;
    let busy = scene.fixture.children("sandbox");
    scene.worker.drain().await;
    scene
        .heard
        .wait(|said| matches!(said, Said::Drain).then_some(()))
        .await;
    let failure = scene.heard.failure().await;
    assert_eq!(failure.problem.unwrap().code, "task.handed_back");
    assert!(failure.retryable);
    scene.fixture.gone("sandbox", &busy).await;
}

#[tokio::test]
async fn draining_lets_a_running_proof_finish() {
    let mut scene = Scene::new("finish", 1).await;
    let inspected = scene.inspect().await;
    scene.prove_more(1, "{}", &inspected).await;
    scene.heard.stage(v1::Stage::Witness).await;
    let worker = scene.worker;
    let (done, ()) = tokio::join!(scene.heard.completion(), worker.drain());
    assert_eq!(done.attempt, Some(attempt(1)));
}

#[tokio::test]
async fn dropping_the_worker_ends_its_children() {
    let mut scene = Scene::new("drop", 1).await;
    scene.prove(1, "spin").await;
    scene.heard.stage(v1::Stage::Witness).await;
    let Scene {
        fixture, worker, ..
    } = scene;
    let (sandbox, prover) = (fixture.children("sandbox"), fixture.children("prover"));
    drop(worker);
    fixture.gone("sandbox", &sandbox).await;
    fixture.gone("prover", &prover).await;
}

//! The worker and its leader: found through anybody, followed when it changes, waited for when gone.

use std::time::Duration;

use aureole_api::internal::v1::complete_request::Result as Outcome;
use aureole_api::internal::v1::{self, lease::Work};

use crate::coordinators::{Coordinators, Said};
use crate::fixture::{Fixture, eventually};
use crate::scene::{Scene, attempt, start_worker};

#[tokio::test]
async fn one_address_is_enough_to_find_the_leader() {
    let (leader, heard, at) = Coordinators::start().await;
    let (follower, mut unheard, known) = Coordinators::start().await;
    follower.refuse(Some(at), &[known, at]);
    let mut scene = Scene::with("find", 1, leader, heard, &[known]).await;
    eventually(|| scene.worker.leader() == Some(at.to_string())).await;
    assert_eq!(scene.inspect().await.name, "tiny");
    assert!(unheard.is_empty(), "a follower is asked for nothing");
}

#[tokio::test]
async fn a_result_goes_to_the_new_leader_once_under_the_same_lease() {
    let mut scene = Scene::new("change", 1).await;
    let (new, mut heard, at) = Coordinators::start().await;
    let inspected = scene.inspect().await;
    scene.prove_more(1, "{}", &inspected).await;
    scene.heard.stage(v1::Stage::Witness).await;
    scene.coordinators.abdicate(Some(at), &[at]);
    let join = heard.join().await;
    assert!(join.running.is_empty() || join.running == [attempt(1)]);
    let done = heard.completion().await;
    assert_eq!(done.attempt, Some(attempt(1)));
    eventually(|| scene.worker.running() == 0).await;
    assert!(!scene.heard.has_completion(), "the old leader took nothing");
    drop(new);
}

#[tokio::test]
async fn a_leader_that_refuses_a_heartbeat_is_left_though_its_stream_stays() {
    let scene = Scene::new("deposed", 1).await;
    let (_new, mut heard, at) = Coordinators::start().await;
    scene.coordinators.refuse(Some(at), &[at]);
    assert_eq!(heard.join().await.worker_id, "w1");
    eventually(|| scene.worker.leader() == Some(at.to_string())).await;
}

#[tokio::test]
async fn a_silent_leader_is_left_for_another_member() {
    let mut scene = Scene::new("silent", 1).await;
    let (_new, mut heard, at) = Coordinators::start().await;
    scene.coordinators.name_members(&[at]);
    // The answer to the first of two names the members.
    for _ in 0..2 {
        let beat = |said| matches!(said, Said::Heartbeat(_)).then_some(());
        scene.heard.wait(beat).await;
    }
    scene.coordinators.be_silent();
    let join = heard.join().await;
    assert!(!join.lost_leader.is_empty(), "it says whom it lost");
}

#[tokio::test]
async fn all_coordinators_gone_and_back_a_proof_ends_under_its_lease() {
    let (first, heard, at) = Coordinators::start().await;
    let mut scene = Scene::with("gone", 1, first, heard, &[at]).await;
    let inspected = scene.inspect().await;
    scene.prove_more(1, "{}", &inspected).await;
    scene.heard.stage(v1::Stage::Witness).await;
    scene.coordinators.kill();
    eventually(|| scene.worker.leader().is_none()).await;
    let (_again, mut heard, _) = Coordinators::start_at(at).await;
    // It may have been taken before the kill, which is no end of the world either: then it does
    // not run any more.
    let join = heard.join().await;
    if join.running == [attempt(1)] {
        assert_eq!(heard.completion().await.attempt, Some(attempt(1)));
    }
    eventually(|| scene.worker.running() == 0).await;
}

#[tokio::test]
async fn a_worker_whose_name_is_taken_waits_until_it_is_free() {
    let (coordinators, mut heard, at) = Coordinators::start().await;
    coordinators.know_a_namesake(3);
    let fixture = Fixture::new("namesake");
    let worker = start_worker(&fixture, 1, &[at], Duration::from_millis(200)).await;
    assert_eq!(heard.join().await.instance.len(), 16);
    eventually(|| worker.leader().is_some()).await;
}

#[tokio::test]
async fn a_draining_worker_says_so_to_a_new_leader_and_brings_it_the_result() {
    let (old, mut old_heard, old_at) = Coordinators::start().await;
    let (_new, mut heard, at) = Coordinators::start().await;
    let fixture = Fixture::new("drain-change");
    let worker = start_worker(&fixture, 1, &[old_at], Duration::from_secs(20)).await;
    old_heard.join().await;
    let component = crate::fixture::upload(&fixture.depot).await;
    let component = component.as_bytes().to_vec();
    let work = Work::InspectPlugin(v1::InspectPlugin { component });
    old.lease(attempt(1), work).await;
    old_heard.stage(v1::Stage::Compile).await;
    let changes = async {
        old_heard
            .wait(|said| matches!(said, Said::Drain).then_some(()))
            .await;
        old.abdicate(Some(at), &[at]);
        heard.join().await
    };
    let (join, ()) = tokio::join!(changes, worker.drain());
    assert!(join.draining);
}

#[tokio::test]
async fn warm_circuits_are_announced_and_results_say_what_they_took() {
    let mut scene = Scene::new("warm", 1).await;
    let inspected = scene.inspect().await;
    let circuit = inspected.default_circuit.clone().unwrap();
    assert!(circuit.memory_bytes > 0 && circuit.work > 0);
    let warm = scene.heard.warm().await;
    assert_eq!(warm.circuits, std::slice::from_ref(&circuit.circuit));
    scene.coordinators.use_threads(1);
    scene.prove_more(1, "{}", &inspected).await;
    let done = scene.heard.completion().await;
    assert!(matches!(done.result, Some(Outcome::Proved(_))));
    assert_eq!(done.threads, 1, "fewer than the two that the child has");
    if cfg!(target_os = "linux") {
        assert!(
            done.peak_memory_bytes > 1 << 20,
            "{}",
            done.peak_memory_bytes
        );
    }
    scene.coordinators.hang_up();
    let again = scene.heard.join().await;
    assert_eq!(again.warm.unwrap().circuits, [circuit.circuit]);
    assert_eq!(again.backends, ["halo2-ipa"]);
}

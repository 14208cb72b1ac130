//! What the ledger calls for is brought back: after a lost disk, after rot.

use aureole_api::internal::v1;
use aureole_api::internal::v1::replicas_client::ReplicasClient;
use aureole_store::{Blobs, DepotError};

use crate::town::{Town, channel, until};

#[tokio::test]
async fn a_member_that_lost_its_disk_gets_everything_back() {
    let mut town = Town::of(3).await;
    let mut named = town.make_ready().await;
    let sealed = town
        .member(1)
        .keys
        .seal(crate::town::task_id(1), secret())
        .await
        .unwrap();
    named.push(
        town.member(1)
            .replicated
            .put(sealed.bytes.into())
            .await
            .unwrap(),
    );
    town.submit(1, sealed.digest).await;
    town.stop(3).await;
    std::fs::remove_dir_all(town.dir.path().join("3")).unwrap();
    town.start(3).await;
    assert!(
        town.member(3)
            .replicated
            .local()
            .list()
            .await
            .unwrap()
            .is_empty()
    );

    let keeper = town.member(3).keep();
    let local = town.member(3).replicated.local().clone();
    until("all is back", async || {
        local.missing(named.clone()).await.unwrap().is_empty()
    })
    .await;
    let mut upkeep = keeper.upkeep();
    let idle = upkeep
        .wait_for(|upkeep| upkeep.missing == 0 && upkeep.rounds > 1)
        .await;
    assert!(idle.unwrap().pulled >= named.len() as u64);
    let key_file = format!("3/vault/keys/{}.{}", crate::town::task_id(1), sealed.digest);
    assert!(
        town.dir.path().join(key_file).exists(),
        "the key of a live task is back too"
    );
    keeper.stop().await;
}

#[tokio::test]
async fn what_an_event_names_is_pulled_without_waiting_for_a_round() {
    let mut town = Town::of(2).await;
    let keeper = town.member(2).keep();
    let named = town.make_ready().await;
    let local = town.member(2).replicated.local().clone();
    until("all is here", async || {
        local.missing(named.clone()).await.unwrap().is_empty()
    })
    .await;
    keeper.stop().await;
}

#[tokio::test]
async fn a_flipped_bit_is_never_served_and_is_mended_when_it_is_met() {
    let town = Town::of(3).await;
    let digest = town
        .member(1)
        .replicated
        .put("precious bytes".into())
        .await
        .unwrap();
    until("on all disks", async || {
        town.holders(&digest).await.len() == 3
    })
    .await;
    town.member(2).flip(&digest);

    // Another member that asks the damaged one gets an error, not bytes.
    let mut client = ReplicasClient::new(channel(&town.member(2).address()));
    let request = v1::GetBlobRequest {
        digest: digest.as_bytes().to_vec(),
        offset: 0,
        length: 100,
    };
    let status = client.get(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::DataLoss);

    let bytes = town.member(2).replicated.get(&digest, 100).await.unwrap();
    assert_eq!(bytes.as_ref(), b"precious bytes");
    let mended = std::fs::read(town.member(2).file_of(&digest)).unwrap();
    assert_eq!(mended, b"precious bytes");
}

#[tokio::test]
async fn rot_that_nobody_met_is_found_by_rereading() {
    let town = Town::of(2).await;
    let digest = town
        .member(1)
        .replicated
        .put("precious bytes".into())
        .await
        .unwrap();
    town.member(2).flip(&digest);
    let keeper = town.member(2).keep();
    let file = town.member(2).file_of(&digest);
    until("mended", async || {
        std::fs::read(&file).unwrap() == b"precious bytes"
    })
    .await;
    assert_eq!(keeper.upkeep().borrow().rotten, 1);
    keeper.stop().await;
}

#[tokio::test]
async fn rot_on_every_disk_is_an_error_and_not_an_answer() {
    let town = Town::of(2).await;
    let digest = town
        .member(1)
        .replicated
        .put("precious bytes".into())
        .await
        .unwrap();
    town.member(1).flip(&digest);
    town.member(2).flip(&digest);
    for id in [1, 2] {
        let error = town
            .member(id)
            .replicated
            .get(&digest, 100)
            .await
            .unwrap_err();
        let told = matches!(
            error,
            DepotError::Corrupt { .. } | DepotError::Unreachable { .. }
        );
        assert!(told, "{error}");
    }
}

#[tokio::test]
async fn a_full_disk_is_not_filled_further_by_repairs() {
    let mut town = Town::of(2).await;
    let gauge = std::sync::Arc::clone(&town.member(2).gauge);
    let named = town.make_ready().await;
    let local = town.member(2).replicated.local().clone();
    for digest in &named {
        local.remove(digest).await.unwrap();
    }
    gauge.0.store(0, std::sync::atomic::Ordering::SeqCst);
    let keeper = town.member(2).keep();
    let mut upkeep = keeper.upkeep();
    let looked = upkeep.wait_for(|upkeep| upkeep.rounds > 1).await;
    assert_eq!(looked.unwrap().missing, named.len() as u64);
    assert!(local.list().await.unwrap().is_empty());
    gauge.0.store(1 << 39, std::sync::atomic::Ordering::SeqCst);
    until("all is here", async || {
        local.missing(named.clone()).await.unwrap().is_empty()
    })
    .await;
    keeper.stop().await;
}

fn secret() -> aureole_store::Secret {
    aureole_store::Secret::new(b"a private input".to_vec())
}

//! A put is on a majority's disks, or refused.

use std::sync::atomic::Ordering;
use std::time::Instant;

use aureole_ledger::Digest;
use aureole_store::{Blobs, DepotError};

use crate::town::{PUT, Town, until};

#[tokio::test]
async fn a_put_is_on_a_majority_when_it_returns_and_soon_on_all() {
    let town = Town::of(3).await;
    let digest = town.member(2).replicated.put("bytes".into()).await.unwrap();
    let holders = town.holders(&digest).await;
    assert!(holders.contains(&2) && holders.len() >= 2, "{holders:?}");
    until("on all disks", async || {
        town.holders(&digest).await.len() == 3
    })
    .await;
}

#[tokio::test]
async fn one_of_three_down_hinders_no_put_and_two_hinder_all() {
    let mut town = Town::of(3).await;
    town.stop(3).await;
    let put = |bytes: &'static str| town.member(1).replicated.put(bytes.into());
    let digest = put("with two").await.unwrap();
    assert_eq!(town.holders(&digest).await, [1, 2]);
    let source = Box::pin(b"streamed".as_slice());
    let streamed = town.member(1).replicated.put_stream(source, 100).await;
    let (digest, length) = streamed.unwrap();
    assert_eq!((town.holders(&digest).await, length), (vec![1, 2], 8));

    town.stop(2).await;
    let begun = Instant::now();
    let error = town
        .member(1)
        .replicated
        .put("alone".into())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            DepotError::NoMajority {
                stored: 1,
                needed: 2,
                members: 3
            }
        ),
        "{error}"
    );
    assert_eq!(error.code(), "node.no_majority");
    assert!(begun.elapsed() < 4 * PUT, "{:?}", begun.elapsed());
    let source = Box::pin(b"stream".as_slice());
    let error = town
        .member(1)
        .replicated
        .put_stream(source, 100)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "node.no_majority");
    // They come back, and so does service.
    town.start(2).await;
    town.member(1).replicated.put("again".into()).await.unwrap();
}

#[tokio::test]
async fn a_group_of_one_needs_nobody() {
    let town = Town::of(1).await;
    let digest = town.member(1).replicated.put("bytes".into()).await.unwrap();
    assert_eq!(town.holders(&digest).await, [1]);
    assert!(
        !town
            .member(1)
            .replicated
            .contains(&Digest::of(b"none"))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_full_disk_counts_for_nothing() {
    let town = Town::of(3).await;
    let fill = |id: u64| town.member(id).gauge.0.store(0, Ordering::SeqCst);
    fill(2);
    let digest = town
        .member(1)
        .replicated
        .put("with two".into())
        .await
        .unwrap();
    assert_eq!(town.holders(&digest).await, [1, 3]);
    fill(3);
    let error = town
        .member(1)
        .replicated
        .put("with one".into())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "node.no_majority");
    // This member's own disk is the better reason.
    fill(1);
    let error = town
        .member(1)
        .replicated
        .put("with none".into())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "node.disk_full");
}

#[tokio::test]
async fn a_member_asks_the_others_before_it_says_no() {
    let mut town = Town::of(3).await;
    let digest = town
        .member(1)
        .replicated
        .local()
        .put("here alone")
        .await
        .unwrap();
    assert!(town.member(3).replicated.contains(&digest).await.unwrap());
    let bytes = town.member(3).replicated.get(&digest, 100).await.unwrap();
    assert_eq!(bytes.as_ref(), b"here alone");
    assert!(town.holders(&digest).await.contains(&3), "it is kept");
    let nowhere = Digest::of(b"nowhere");
    let error = town
        .member(3)
        .replicated
        .get(&nowhere, 100)
        .await
        .unwrap_err();
    assert!(matches!(error, DepotError::NotFound { .. }), "{error}");
    town.stop(2).await;
    let replicated = &town.member(3).replicated;
    let error = replicated.get(&nowhere, 100).await.unwrap_err();
    assert!(matches!(error, DepotError::Unreachable { .. }), "{error}");
    let error = replicated.contains(&nowhere).await.unwrap_err();
    assert!(matches!(error, DepotError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn the_largest_blobs_travel_in_parts() {
    let town = Town::of(3).await;
    let bytes: Vec<u8> = (0..9_000_001_u32).map(|at| (at % 253) as u8).collect();
    let digest = town
        .member(1)
        .replicated
        .local()
        .put(bytes.clone())
        .await
        .unwrap();
    town.member(2)
        .replicated
        .local()
        .put(bytes.clone())
        .await
        .unwrap();
    let pulled = town
        .member(3)
        .replicated
        .get(&digest, 16 << 20)
        .await
        .unwrap();
    assert!(pulled == bytes);
}

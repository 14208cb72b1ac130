//! Keys are on a majority before anything relies on them, and nowhere once a task has ended.

use aureole_coordinator::InputKeys;
use aureole_coordinator::blobs::KeysError;
use aureole_ledger::Digest;
use aureole_store::{Blobs, InputVault, Sealed, Secret, VaultError, open_input};

use crate::town::{Town, task_id, until};

const INPUT: &[u8] = b"a private input";

async fn seal(town: &Town, member: u64, task: u8) -> Sealed {
    let keys = &town.member(member).keys;
    let sealed = keys.seal(task_id(task), Secret::new(INPUT.to_vec())).await;
    sealed.unwrap()
}

/// Who has a key file, whatever its task.
fn key_holders(town: &Town) -> Vec<u64> {
    let has = |id: &u64| {
        let keys = town.dir.path().join(id.to_string()).join("vault/keys");
        std::fs::read_dir(keys).unwrap().next().is_some()
    };
    (1..=3).filter(has).collect()
}

#[tokio::test]
async fn a_key_is_on_a_majority_and_any_member_finds_it() {
    let mut town = Town::of(3).await;
    town.make_ready().await;
    town.stop(3).await;
    let sealed = seal(&town, 1, 1).await;
    town.submit(1, sealed.digest).await;
    assert_eq!(key_holders(&town), [1, 2]);
    town.start(3).await;
    let key = town
        .member(3)
        .keys
        .key(task_id(1), sealed.digest)
        .await
        .unwrap();
    let opened = open_input(&key.unwrap(), task_id(1), &sealed.bytes).unwrap();
    assert_eq!(opened.expose(), INPUT);
    assert_eq!(key_holders(&town), [1, 2, 3], "what was found is kept");
}

#[tokio::test]
async fn without_a_majority_nothing_is_sealed() {
    let mut town = Town::of(3).await;
    town.stop(2).await;
    town.stop(3).await;
    let sealed = town
        .member(1)
        .keys
        .seal(task_id(1), Secret::new(INPUT.to_vec()));
    let error = sealed.await.unwrap_err();
    assert!(
        matches!(
            error,
            KeysError::NoMajority {
                stored: 1,
                needed: 2,
                members: 3
            }
        ),
        "{error}"
    );
    assert_eq!(error.code(), "node.no_majority");
    let missing = town.member(1).keys.find(task_id(9), Digest::of(b"x")).await;
    let error = missing.unwrap_err();
    assert!(matches!(error, KeysError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_task_sealed_twice_keeps_both_keys_apart() {
    let town = Town::of(3).await;
    let (first, second) = (seal(&town, 1, 1).await, seal(&town, 2, 1).await);
    for sealed in [first, second] {
        let key = town
            .member(3)
            .keys
            .find(task_id(1), sealed.digest)
            .await
            .unwrap();
        let opened = open_input(key.unwrap().expose(), task_id(1), &sealed.bytes);
        assert_eq!(opened.unwrap().expose(), INPUT);
    }
}

#[tokio::test]
async fn when_a_task_has_ended_its_key_and_its_input_are_destroyed_everywhere() {
    let mut town = Town::of(3).await;
    town.make_ready().await;
    let sealed = seal(&town, 1, 1).await;
    let input = town
        .member(1)
        .replicated
        .put(sealed.bytes.into())
        .await
        .unwrap();
    town.submit(1, input).await;
    until("on all disks", async || {
        key_holders(&town).len() == 3 && town.holders(&input).await.len() == 3
    })
    .await;
    let keepers = [town.member(1).keep(), town.member(2).keep()];
    // One is down when it happens, and catches up when it starts.
    town.stop(3).await;
    town.cancel(1).await;
    until("gone where it was heard", async || {
        key_holders(&town) == [3] && town.holders(&input).await.is_empty()
    })
    .await;
    town.start(3).await;
    let late = town.member(3).keep();
    until("gone everywhere", async || {
        key_holders(&town).is_empty() && town.holders(&input).await.is_empty()
    })
    .await;
    let key = town.member(1).keys.key(task_id(1), input).await.unwrap();
    assert!(key.is_none());
    drop((keepers, late));
}

#[tokio::test]
async fn a_key_that_arrives_after_the_end_is_not_kept() {
    let mut town = Town::of(3).await;
    town.make_ready().await;
    let sealed = aureole_store::seal_input(task_id(1), INPUT).unwrap();
    town.submit(1, sealed.digest).await;
    town.cancel(1).await;
    // It went to each before the end and comes after it.
    let late = town
        .member(1)
        .keys
        .seal(task_id(1), Secret::new(INPUT.to_vec()));
    late.await.unwrap();
    assert!(key_holders(&town).is_empty());
}

#[tokio::test]
async fn a_key_without_a_task_is_kept_for_a_grace_only() {
    let town = Town::of(1).await;
    let sealed = seal(&town, 1, 1).await;
    let keys = &town.member(1).keys;
    let swept = keys
        .sweep(std::time::Duration::from_secs(600))
        .await
        .unwrap();
    assert!(swept.is_empty());
    let swept = keys.sweep(std::time::Duration::ZERO).await.unwrap();
    assert_eq!(swept, [(task_id(1), sealed.digest)]);
    assert!(
        keys.find(task_id(1), sealed.digest)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_damaged_key_is_replaced_by_a_peers() {
    let town = Town::of(2).await;
    let sealed = seal(&town, 1, 1).await;
    let name = format!("vault/keys/{}.{}", task_id(1), sealed.digest);
    std::fs::write(town.member(2).dir.join(&name), b"short").unwrap();
    let key = town
        .member(2)
        .keys
        .find(task_id(1), sealed.digest)
        .await
        .unwrap();
    assert_eq!(key.unwrap().expose(), sealed.key.expose());
    assert_eq!(
        std::fs::read(town.member(2).dir.join(&name)).unwrap().len(),
        32
    );
}

#[tokio::test]
async fn a_vault_that_fails_is_an_error() {
    let town = Town::of(1).await;
    std::fs::remove_dir_all(town.member(1).dir.join("vault/tmp")).unwrap();
    let sealed = town
        .member(1)
        .keys
        .seal(task_id(1), Secret::new(INPUT.to_vec()));
    let error = sealed.await.unwrap_err();
    assert!(
        matches!(error, KeysError::Vault(VaultError::Io { .. })),
        "{error}"
    );
    assert_eq!(error.code(), "node.storage");
    let shown = format!("{:?}", town.member(1).keys);
    assert!(
        shown.contains("KeyRing") && InputVault::open(&town.member(1).dir.join("vault")).is_ok()
    );
}

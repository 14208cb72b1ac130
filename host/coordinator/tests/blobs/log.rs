//! The log on several members: tiles that are missing come from another, checkpoints are signed by
//! whoever leads and only where they continue what was signed.

use std::sync::Arc;
use std::time::Duration;

use aureole_coordinator::receipts::{LogKeeper, LogKeeperConfig, Notary, NotaryError};
use aureole_ledger::{Acceptance, Command, Completion, Digest, Salt, Timings, WorkerId};
use aureole_receipts::{Checkpoint, Head, Log, SignerKey, Tree, audit, verify_consistency};

use crate::town::{Member, Town, task_id, until};

const ORIGIN: &str = "log.example";

/// Has every member accept a proof of each of these tasks.
async fn accept(town: &mut Town, tasks: std::ops::RangeInclusive<u8>) {
    for task in tasks {
        town.submit(task, Digest::of(b"input")).await;
        let (worker, now) = (WorkerId::new("w").unwrap(), 1_000_002);
        let (task, attempt) = (task_id(task), 1);
        town.tell(Command::LeaseTask {
            task,
            attempt,
            worker: worker.clone(),
            expires_at: u64::MAX,
            now,
            threads: 1,
            memory_bytes: 0,
            speculative: false,
        })
        .await;
        let salt = Salt::from_bytes([task.as_bytes()[0]; 32]);
        town.tell(Command::CompleteTask {
            task,
            attempt,
            worker,
            completion: Completion::Proved {
                proof: Digest::of(task.as_bytes()),
                public_inputs: Digest::of(b"public inputs"),
            },
            timings: Timings::new(),
            now,
            peak_memory_bytes: None,
            acceptance: Acceptance {
                verifier: "a test".to_owned(),
                salt,
            },
        })
        .await;
    }
}

async fn town(members: u64, proofs: u8) -> Town {
    let mut town = Town::of(members).await;
    town.make_ready().await;
    accept(&mut town, 1..=proofs).await;
    town
}

fn notary(member: &Member) -> Notary {
    let key = SignerKey::from_seed(ORIGIN, &[5; 32]).unwrap();
    Notary::new(member.coordinator.clone(), key).unwrap()
}

fn keep(member: &Member) -> LogKeeper {
    let config = LogKeeperConfig {
        every: Duration::from_millis(20),
    };
    let peers = Arc::clone(&member.peers);
    LogKeeper::start(config, member.coordinator.clone(), peers, notary(member))
}

fn tree(member: &Member) -> Tree {
    member.coordinator.read(|state| state.log().clone())
}

async fn has_all(member: &Member) -> bool {
    let (log, tree) = (member.coordinator.log(), tree(member));
    (log.size(), log.root()) == (tree.size(), tree.root())
}

#[tokio::test]
async fn members_that_apply_the_same_have_the_same_log_and_a_restart_loses_none_of_it() {
    let mut town = town(2, 5).await;
    assert_eq!(tree(town.member(1)), tree(town.member(2)));
    assert_eq!(tree(town.member(1)).size(), 5);
    // Nothing was written yet: the leaves come again with the entries.
    town.stop(1).await;
    town.start(1).await;
    let log = town.member(1).coordinator.log();
    assert_eq!(log.settle().unwrap(), 5);
    // A snapshot is behind the leaves: the entries are gone, the leaves stay.
    town.member(1).coordinator.compact().await.unwrap();
    town.stop(1).await;
    town.start(1).await;
    assert!(has_all(town.member(1)).await);
}

#[tokio::test]
async fn a_snapshot_is_written_only_behind_its_leaves() {
    let town = town(1, 3).await;
    let member = town.member(1);
    assert_eq!(member.coordinator.log().size(), 0);
    member.coordinator.compact().await.unwrap();
    assert_eq!(member.coordinator.log().size(), 3);
}

#[tokio::test]
async fn a_member_without_its_tiles_gets_them_from_another() {
    let mut town = town(2, 7).await;
    town.member(1).coordinator.log().settle().unwrap();
    town.member(2).coordinator.compact().await.unwrap();
    town.stop(2).await;
    std::fs::remove_dir_all(town.receipts_of(2)).unwrap();
    town.start(2).await;
    let poor = town.member(2);
    assert_eq!((poor.coordinator.log().size(), tree(poor).size()), (0, 7));
    let keeper = keep(poor);
    until("the tiles to be there", || has_all(poor)).await;
    keeper.stop().await;
    // And what is applied from then on follows.
    accept(&mut town, 8..=9).await;
    assert_eq!(town.member(2).coordinator.log().settle().unwrap(), 9);
}

#[tokio::test]
async fn a_member_that_has_not_written_its_leaves_sends_them_all_the_same() {
    let mut town = town(2, 7).await;
    town.member(2).coordinator.compact().await.unwrap();
    town.stop(2).await;
    std::fs::remove_dir_all(town.receipts_of(2)).unwrap();
    town.start(2).await;
    assert_eq!(town.member(1).coordinator.log().size(), 0);
    let poor = town.member(2);
    let keeper = keep(poor);
    until("the tiles to be there", || has_all(poor)).await;
    keeper.stop().await;
    assert_eq!(town.member(1).coordinator.log().size(), 7);
}

#[tokio::test]
async fn a_tile_that_cannot_be_read_keeps_the_log() {
    let mut town = town(2, 4).await;
    for member in 1..=2 {
        town.member(member).coordinator.log().settle().unwrap();
    }
    let tile = town.receipts_of(2).join("tile/0/000.p/4");
    std::fs::remove_file(&tile).unwrap();
    // Which opens and cannot be read, by root neither.
    std::fs::create_dir(&tile).unwrap();
    // Nobody is there to fill what would be forgotten.
    town.stop(1).await;
    let keeper = keep(town.member(2));
    accept(&mut town, 5..=5).await;
    // The audit that a start begins with is over by then: a round comes behind it on one thread.
    until("the leaf to be there", || has_all(town.member(2))).await;
    keeper.stop().await;
    let log = town.member(2).coordinator.log();
    assert_eq!(log.size(), 5);
}

#[tokio::test]
async fn a_member_without_others_writes_no_snapshot_before_a_leaf_that_it_lacks() {
    let town = town(1, 3).await;
    let member = town.member(1);
    let log = member.coordinator.log();
    log.settle().unwrap();
    let leaf = log.leaf(2).unwrap();
    log.append(9, leaf);
    member.coordinator.compact().await.unwrap_err();
}

#[tokio::test]
async fn a_member_without_others_makes_lost_tiles_anew_and_names_leaves_that_must_be_put_back() {
    let mut town = town(1, 5).await;
    town.member(1).coordinator.compact().await.unwrap();
    let at = |town: &Town, name: &str| town.receipts_of(1).join(name);
    // The entries are gone with the snapshot: only what is on disk can bring the leaves.
    town.stop(1).await;
    for name in ["frontier", "tile/0/000.p/5"] {
        std::fs::remove_file(at(&town, name)).unwrap();
    }
    town.start(1).await;
    let keeper = keep(town.member(1));
    until("tiles made of the leaves", || has_all(town.member(1))).await;
    keeper.stop().await;
    accept(&mut town, 6..=6).await;
    town.member(1).coordinator.compact().await.unwrap();

    town.stop(1).await;
    let bundle = at(&town, "tile/entries/000.p/6");
    let kept = std::fs::read(&bundle).unwrap();
    std::fs::remove_file(&bundle).unwrap();
    town.start(1).await;
    let keeper = keep(town.member(1));
    let log = town.member(1).coordinator.log();
    until("what is wrong", || async { log.trouble().is_some() }).await;
    let told = log.trouble().unwrap();
    assert!(told.contains("receipts/tile/entries"), "{told}");
    std::fs::write(&bundle, kept).unwrap();
    until("what was put back", || has_all(town.member(1))).await;
    until("an end of it", || async { log.trouble().is_none() }).await;
    keeper.stop().await;
    town.member(1).coordinator.compact().await.unwrap();
}

#[tokio::test]
async fn a_tile_that_somebody_could_not_read_is_read_again_and_told() {
    let town = town(2, 4).await;
    let log = town.member(1).coordinator.log();
    log.settle().unwrap();
    let keeper = keep(town.member(1));
    until("the first audit", || has_all(town.member(1))).await;
    let tile = town.receipts_of(1).join("tile/0/000.p/4");
    std::fs::remove_file(&tile).unwrap();
    std::fs::create_dir(&tile).unwrap();
    log.suspect();
    until("what is wrong", || async { log.trouble().is_some() }).await;
    assert!(log.trouble().unwrap().contains("000.p/4"));
    keeper.stop().await;
}

#[tokio::test]
async fn tiles_of_another_log_are_forgotten_and_filled() {
    let mut town = town(2, 4).await;
    town.member(1).coordinator.log().settle().unwrap();
    town.member(2).coordinator.compact().await.unwrap();
    town.stop(2).await;
    let other = tempfile::tempdir().unwrap();
    let foreign = aureole_store::TileLog::open(other.path()).unwrap();
    let mut leaf = town.member(1).coordinator.log().leaf(0).unwrap();
    for index in 0..4 {
        leaf.finished_ms += 1;
        foreign.append(index, leaf.clone());
    }
    foreign.settle().unwrap();
    drop(foreign);
    std::fs::remove_dir_all(town.receipts_of(2)).unwrap();
    std::fs::rename(other.path(), town.receipts_of(2)).unwrap();
    town.start(2).await;
    let keeper = keep(town.member(2));
    until("the facts' log", || has_all(town.member(2))).await;
    keeper.stop().await;
}

#[tokio::test]
async fn checkpoints_follow_the_log_and_continue_each_other() {
    let mut town = town(2, 2).await;
    let keepers = [keep(town.member(1)), keep(town.member(2))];
    for size in [3, 4] {
        accept(&mut town, size..=size).await;
        let signed = |member: u64| {
            let notary = notary(town.member(member));
            async move {
                let newest = notary.newest().await.unwrap();
                newest.is_some_and(|(newest, _)| newest >= u64::from(size))
            }
        };
        until("a checkpoint", || signed(1)).await;
        until("a checkpoint", || signed(2)).await;
    }
    for keeper in keepers {
        keeper.stop().await;
    }
    let log = town.member(1).coordinator.log();
    let kept = log.folder().checkpoints().unwrap();
    let trusted = notary(town.member(1)).trusted().clone();
    let open = |note: &String| Checkpoint::open(note, &trusted).unwrap().checkpoint;
    let heads: Vec<Head> = kept.iter().map(|note| *open(note).head()).collect();
    for pair in heads.windows(2) {
        let proof = Log::new(&**log, pair[1].size).consistency(pair[0].size);
        verify_consistency(&pair[0], &pair[1], &proof.unwrap()).unwrap();
    }
    audit(log.folder(), &open(kept.last().unwrap()), None).unwrap();
}

#[tokio::test]
async fn a_checkpoint_covers_what_is_asked_for_and_is_signed_once() {
    let mut town = town(1, 2).await;
    let notary = notary(town.member(1));
    assert_eq!(notary.newest().await.unwrap(), None);
    let first = notary.covering(1).await.unwrap();
    assert_eq!(notary.covering(2).await.unwrap(), first);
    let beyond = notary.covering(3).await.unwrap_err();
    assert!(
        matches!(beyond, NotaryError::Short { have: 2, needed: 3 }),
        "{beyond}"
    );
    accept(&mut town, 3..=3).await;
    let second = notary.covering(3).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(notary.newest().await.unwrap(), Some((3, second)));
}

#[tokio::test]
async fn nothing_is_signed_that_does_not_continue_what_was_signed() {
    let mut town = town(1, 2).await;
    let notary = notary(town.member(1));
    notary.covering(2).await.unwrap();
    accept(&mut town, 3..=3).await;
    let file = town.receipts_of(1).join("checkpoint");
    let key = SignerKey::from_seed(ORIGIN, &[5; 32]).unwrap();
    let signed = |origin: &str, head: Head, key: &SignerKey| {
        let note = Checkpoint::new(origin, head).unwrap().sign(&[key]);
        note.unwrap().to_string()
    };
    // What the disk says was signed is of another history.
    let mut forged = tree(town.member(1)).head();
    forged.size = 2;
    std::fs::write(&file, signed(ORIGIN, forged, &key)).unwrap();
    let refused = notary.covering(3).await.unwrap_err();
    assert!(matches!(refused, NotaryError::Inconsistent(_)), "{refused}");
    let stranger = SignerKey::from_seed("other.example", &[6; 32]).unwrap();
    std::fs::write(&file, signed("other.example", forged, &stranger)).unwrap();
    let refused = notary.covering(3).await.unwrap_err();
    assert!(matches!(refused, NotaryError::Origin { .. }), "{refused}");
    std::fs::write(&file, "no note").unwrap();
    let refused = notary.covering(3).await.unwrap_err();
    assert!(matches!(refused, NotaryError::Note(_)), "{refused}");
}

#[tokio::test]
async fn a_checkpoint_of_another_history_or_of_nobody_is_not_taken_over() {
    let town = town(1, 3).await;
    let member = town.member(1);
    let notary = notary(member);
    member.coordinator.log().settle().unwrap();
    let head = tree(member).head();
    let note = |head: Head, seed: u8| {
        let key = SignerKey::from_seed(ORIGIN, &[seed; 32]).unwrap();
        let note = Checkpoint::new(ORIGIN, head).unwrap().sign(&[&key]);
        note.unwrap().to_string()
    };
    let unknown = notary.adopt(note(head, 9)).await.unwrap_err();
    assert!(matches!(unknown, NotaryError::Checkpoint(_)), "{unknown}");
    let mut foreign = head;
    foreign.size = 2;
    let refused = notary.adopt(note(foreign, 5)).await.unwrap_err();
    assert!(
        matches!(refused, NotaryError::Root { size: 2, .. }),
        "{refused}"
    );
    foreign.size = 99;
    notary.adopt(note(foreign, 5)).await.unwrap();
    assert_eq!(
        notary.newest().await.unwrap(),
        None,
        "it cannot be compared yet"
    );
    notary.adopt(note(head, 5)).await.unwrap();
    assert_eq!(
        notary.newest().await.unwrap().map(|(size, _)| size),
        Some(3)
    );
}

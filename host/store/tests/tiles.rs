//! The log on disk: what counts survives a crash at any point, rot is noticed, and what other members
//! send is believed only under the facts' root.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::Path;

use aureole_receipts::{
    Checkpoint, Digest, Head, Leaf, Log, SignerKey, TaskId, Tile, TileReader as _, Tree,
    TrustedKeys, audit, tiles_of,
};
use aureole_store::{TileFolder, TileLog, TileLogError, Upkeep};

fn leaf(number: u64) -> Leaf {
    let digest = |what: &str| Digest::of(format!("{what} {number}").as_bytes());
    let mut task = [0; 16];
    task[..8].copy_from_slice(&number.to_be_bytes());
    Leaf {
        task: TaskId::from_bytes(task),
        circuit: digest("circuit"),
        key: digest("key"),
        public_inputs: digest("inputs"),
        proof: digest("proof"),
        verifier: digest("verifier"),
        submitted_ms: number,
        finished_ms: number + 1,
    }
}

fn tree(size: u64) -> Tree {
    let mut tree = Tree::new();
    for number in 0..size {
        tree.append(leaf(number).hash()).unwrap();
    }
    tree
}

/// Applies leaves up to a size and writes them, every `step`.
fn grow(log: &TileLog, to: u64, step: u64) {
    for number in log.size()..to {
        log.append(number, leaf(number));
        if number % step == 0 {
            log.settle().unwrap();
        }
    }
    assert_eq!(log.settle().unwrap(), to);
}

fn grown(folder: &Path, to: u64) -> TileLog {
    let log = TileLog::open(folder).unwrap();
    grow(&log, to, 7);
    log
}

/// Has one member fill its log from another's.
fn fill(log: &TileLog, from: &TileLog, tree: &Tree) -> Result<(), TileLogError> {
    let mut filler = log.filler();
    while let Some(bundle) = filler.next(tree.size()) {
        let bytes = from.read(&bundle).unwrap().unwrap();
        filler.push(&bundle, &bytes)?;
    }
    filler.finish(tree)
}

#[test]
fn a_log_continues_where_it_stood_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    for size in [0, 1, 255, 256, 257, 600] {
        let log = grown(dir.path(), size);
        drop(log);
        let log = TileLog::open(dir.path()).unwrap();
        assert_eq!((log.size(), log.root()), (size, tree(size).root()));
    }
    let log = TileLog::open(dir.path()).unwrap();
    for number in [0, 255, 256, 599] {
        assert_eq!(log.leaf(number).unwrap(), leaf(number));
    }
    let beyond = log.leaf(600).unwrap_err();
    assert!(matches!(
        beyond,
        TileLogError::Behind {
            have: 600,
            needed: 601
        }
    ));
}

#[test]
fn every_tile_of_every_size_that_the_log_had_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let log = grown(dir.path(), 520);
    for size in [1, 5, 255, 256, 300, 512, 520] {
        let mut tiles = Log::new(&log, size);
        assert_eq!(tiles.root_at(size).unwrap(), tree(size).root());
        for tile in tiles_of(size) {
            assert!(log.read(&tile).unwrap().is_some(), "{tile} of {size}");
        }
    }
    let beyond = Tile::hashes(0, 2, 9).unwrap();
    assert_eq!(log.read(&beyond).unwrap(), None);
    let copied = TileFolder::new(dir.path());
    assert_eq!(Log::new(&copied, 520).root_at(520).unwrap(), log.root());
}

#[test]
fn leaves_that_are_applied_again_change_nothing_and_a_gap_waits() {
    let dir = tempfile::tempdir().unwrap();
    let log = grown(dir.path(), 10);
    for number in 4..12 {
        log.append(number, leaf(number));
    }
    assert_eq!(log.settle().unwrap(), 12);
    log.append(20, leaf(20));
    let behind = log.settle().unwrap_err();
    assert!(matches!(
        behind,
        TileLogError::Behind {
            have: 12,
            needed: 20
        }
    ));
    assert_eq!((log.size(), log.waiting_count()), (12, 1));
    let other = tempfile::tempdir().unwrap();
    let other = grown(other.path(), 20);
    fill(&log, &other, &tree(20)).unwrap();
    assert_eq!(log.settle().unwrap(), 21);
    assert_eq!(log.root(), tree(21).root());
}

#[test]
fn no_leaf_that_continues_the_disk_is_lost_however_many_wait() {
    let dir = tempfile::tempdir().unwrap();
    let log = TileLog::open(dir.path()).unwrap();
    for number in 0..70_000 {
        log.append(number, leaf(number));
    }
    assert_eq!(log.settle().unwrap(), 70_000);
    assert_eq!(log.root(), tree(70_000).root());
}

#[test]
fn leaves_before_a_gap_are_written_and_those_behind_it_wait() {
    let dir = tempfile::tempdir().unwrap();
    let log = grown(dir.path(), 10);
    for number in [10, 11, 20, 21] {
        log.append(number, leaf(number));
    }
    let behind = log.settle().unwrap_err();
    assert!(
        matches!(
            behind,
            TileLogError::Behind {
                have: 12,
                needed: 20
            }
        ),
        "{behind}"
    );
    assert_eq!((log.size(), log.waiting_count()), (12, 2));
    let other = tempfile::tempdir().unwrap();
    let other = grown(other.path(), 20);
    fill(&log, &other, &tree(20)).unwrap();
    assert_eq!(log.settle().unwrap(), 22);
    assert_eq!(log.root(), tree(22).root());
}

#[test]
fn a_crash_between_any_two_files_leaves_the_log_as_it_was_or_as_it_became() {
    let dir = tempfile::tempdir().unwrap();
    drop(grown(dir.path(), 250));
    let before = copy(dir.path());
    drop(grown(dir.path(), 270));
    // What a crash leaves: the files that were written by then, and the frontier of before.
    let crashed = copy(dir.path());
    fs::copy(
        before.path().join("frontier"),
        crashed.path().join("frontier"),
    )
    .unwrap();
    let log = TileLog::open(crashed.path()).unwrap();
    assert_eq!((log.size(), log.root()), (250, tree(250).root()));
    grow(&log, 300, 1);
    assert_eq!(log.root(), tree(300).root());
    assert_eq!(Log::new(&log, 300).root_at(300).unwrap(), log.root());
}

#[test]
fn tiles_that_rotted_are_filled_anew_from_another_member() {
    let dir = tempfile::tempdir().unwrap();
    drop(grown(dir.path(), 300));
    for name in [
        "tile/1/000.p/1",
        "tile/0/001.p/44",
        "tile/entries/001.p/44",
        "frontier",
    ] {
        let rotten = copy(dir.path());
        let path = rotten.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let log = TileLog::open(rotten.path()).unwrap();
        assert_eq!(log.size(), 0, "{name}");
        let good = TileLog::open(dir.path()).unwrap();
        fill(&log, &good, &tree(300)).unwrap();
        assert_eq!(log.root(), tree(300).root(), "{name}");
    }
}

#[test]
fn tiles_that_the_disk_does_not_give_are_no_reason_to_start_from_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(grown(dir.path(), 300));
    for name in ["tile/1/000.p/1", "tile/entries/001.p/44", "frontier"] {
        let failing = copy(dir.path());
        let path = failing.path().join(name);
        fs::remove_file(&path).unwrap();
        // Which opens and cannot be read, by root neither.
        fs::create_dir(&path).unwrap();
        let refused = TileLog::open(failing.path()).unwrap_err();
        assert!(refused.is_io(), "{name}: {refused}");
        fs::remove_dir(&path).unwrap();
        fs::copy(dir.path().join(name), &path).unwrap();
        assert_eq!(TileLog::open(failing.path()).unwrap().size(), 300);
    }
}

#[test]
fn what_a_member_sends_counts_only_under_the_facts_root() {
    let (mine, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = grown(mine.path(), 5);
    let other = grown(theirs.path(), 300);
    let mut foreign = tree(299);
    foreign.append(leaf(1000).hash()).unwrap();
    let refused = fill(&log, &other, &foreign).unwrap_err();
    assert!(
        matches!(refused, TileLogError::Root { size: 300, .. }),
        "{refused}"
    );
    assert_eq!((log.size(), log.root()), (5, tree(5).root()));
    let mut filler = log.filler();
    let bundle = filler.next(300).unwrap();
    let cut = filler.push(&bundle, b"\0").unwrap_err();
    assert!(
        matches!(cut, TileLogError::Bundle { index: 0, .. }),
        "{cut}"
    );
    let few = filler.push(&bundle, &[0, 1, 7]).unwrap_err();
    assert!(
        matches!(
            few,
            TileLogError::Count {
                found: 1,
                expected: 256,
                ..
            }
        ),
        "{few}"
    );
    let one = Tile::entries(0, 6).unwrap();
    let no_leaves = [0_u8, 1, 7].repeat(6);
    let none = filler.push(&one, &no_leaves).unwrap_err();
    assert!(
        matches!(none, TileLogError::Leaf { index: 5, .. }),
        "{none}"
    );
    fill(&log, &other, &tree(300)).unwrap();
    assert_eq!(log.size(), 300);
}

#[test]
fn a_log_of_other_leaves_is_forgotten_and_filled() {
    let (mine, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = TileLog::open(mine.path()).unwrap();
    for number in 0..9 {
        log.append(number, leaf(number + 100));
    }
    log.settle().unwrap();
    let other = grown(theirs.path(), 9);
    log.reset().unwrap();
    fill(&log, &other, &tree(9)).unwrap();
    assert_eq!(log.root(), tree(9).root());
}

#[test]
fn what_continues_a_log_that_was_forgotten_meanwhile_does_not_count() {
    let (mine, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (log, other) = (grown(mine.path(), 300), grown(theirs.path(), 310));
    let mut filler = log.filler();
    let bundle = filler.next(310).unwrap();
    let bytes = other.read(&bundle).unwrap().unwrap();
    filler.push(&bundle, &bytes).unwrap();
    log.reset().unwrap();
    let refused = filler.finish(&tree(310)).unwrap_err();
    assert!(
        matches!(
            refused,
            TileLogError::Behind {
                have: 0,
                needed: 300
            }
        ),
        "{refused}"
    );
    fill(&log, &other, &tree(310)).unwrap();
    assert_eq!(log.root(), tree(310).root());
}

#[test]
fn checkpoints_are_kept_one_after_another() {
    let dir = tempfile::tempdir().unwrap();
    let log = grown(dir.path(), 3);
    let sign = |size, text: &'static str| {
        log.sign(size, |newest| {
            Ok::<_, TileLogError>((newest.as_deref() != Some(text)).then(|| text.to_owned()))
        })
        .unwrap()
    };
    assert_eq!(log.checkpoint().unwrap(), None);
    assert_eq!(sign(3, "three").as_deref(), Some("three"));
    assert_eq!(sign(3, "three"), None);
    assert_eq!(sign(4, "four").as_deref(), Some("four"));
    let log = TileLog::open(dir.path()).unwrap();
    assert_eq!(log.checkpoint().unwrap().as_deref(), Some("four"));
    assert_eq!(log.folder().checkpoints().unwrap(), ["three", "four"]);
}

#[test]
fn of_checkpoints_only_the_newest_thousand_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let log = TileLog::open(dir.path()).unwrap();
    for size in 0..1030_u64 {
        log.sign(size, |_| Ok::<_, TileLogError>(Some(size.to_string())))
            .unwrap();
    }
    let kept = log.folder().checkpoints().unwrap();
    assert_eq!((kept.len(), kept[0].as_str()), (1024, "6"));
}

#[test]
fn a_history_rewritten_on_disk_is_found_by_whoever_kept_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let log = grown(dir.path(), 300);
    let key = SignerKey::from_seed("log.example", &[3; 32]).unwrap();
    let trusted = TrustedKeys::new(vec![key.verifier().clone()]).unwrap();
    let note = |head: Head| {
        let note = Checkpoint::new("log.example", head).unwrap().sign(&[&key]);
        let text = note.unwrap().to_string();
        Checkpoint::open(&text, &trusted).unwrap().checkpoint
    };
    let kept = note(tree(300).head());
    grow(&log, 400, 1);
    let honest = note(tree(400).head());
    assert_eq!(
        audit(log.folder(), &honest, Some(&kept)).unwrap().earlier,
        300
    );
    // The operator replaces a leaf, makes every tile anew and signs: nothing on disk contradicts it.
    let forged = tempfile::tempdir().unwrap();
    let rewritten = TileLog::open(forged.path()).unwrap();
    let mut head = Tree::new();
    for number in 0..400 {
        let leaf = leaf(if number == 17 { 5000 } else { number });
        head.append(leaf.hash()).unwrap();
        rewritten.append(number, leaf);
    }
    rewritten.settle().unwrap();
    let forged = note(head.head());
    audit(rewritten.folder(), &forged, None).unwrap();
    let found = audit(rewritten.folder(), &forged, Some(&kept)).unwrap_err();
    assert!(
        found.to_string().contains("history was rewritten"),
        "{found}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let log = grown(dir.path(), 3);
    let tile = dir.path().join("tmp");
    fs::remove_dir_all(&tile).unwrap();
    fs::write(&tile, b"in the way").unwrap();
    log.append(3, leaf(3));
    let failed = log.settle().unwrap_err();
    assert!(matches!(failed, TileLogError::Io { .. }), "{failed}");
    assert_eq!((log.size(), log.waiting_count()), (3, 1));
    fs::remove_file(&tile).unwrap();
    fs::create_dir(&tile).unwrap();
    assert_eq!(log.settle().unwrap(), 4);
    let large = dir.path().join("checkpoint");
    fs::write(&large, vec![b'x'; 100_000]).unwrap();
    let damaged = log.checkpoint().unwrap_err();
    assert!(matches!(damaged, TileLogError::Damaged { .. }), "{damaged}");
}

/// Opens a log and has it made anew from its leaves, of which some are applied again.
fn rebuilt(folder: &Path, to: u64) -> Result<TileLog, TileLogError> {
    let log = TileLog::open(folder).unwrap();
    for number in to - 5..to {
        log.append(number, leaf(number));
    }
    log.rebuild(&tree(to))?;
    Ok(log)
}

#[test]
fn hashes_and_the_frontier_are_made_anew_from_the_leaves() {
    let lost = [
        "frontier",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
    ];
    for name in lost {
        let dir = tempfile::tempdir().unwrap();
        drop(grown(dir.path(), 600));
        fs::remove_file(dir.path().join(name)).unwrap();
        // Two leaves were not written when the process ended: they come again with the entries.
        let log = rebuilt(dir.path(), 602).unwrap();
        assert_eq!((log.size(), log.root()), (602, tree(602).root()), "{name}");
        let checkpoint = Checkpoint::new("audit", log.head()).unwrap();
        audit(log.folder(), &checkpoint, None).unwrap();
        grow(&log, 700, 7);
        drop(log);
        assert_eq!(TileLog::open(dir.path()).unwrap().size(), 700, "{name}");
    }
}

#[test]
fn rot_in_a_log_that_is_open_is_made_good_from_its_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let log = grown(dir.path(), 300);
    for name in ["tile/0/000", "tile/0/001.p/44"] {
        let path = dir.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[40] ^= 1;
        fs::write(&path, &bytes).unwrap();
    }
    log.append(300, leaf(300));
    // The facts were read before the last leaf was settled.
    assert_eq!(log.settle().unwrap(), 301);
    log.rebuild(&tree(300)).unwrap();
    assert_eq!(log.size(), 301);
    let checkpoint = Checkpoint::new("audit", log.head()).unwrap();
    audit(log.folder(), &checkpoint, None).unwrap();
}

#[test]
fn leaves_that_are_lost_or_rotten_are_named_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    drop(grown(dir.path(), 600));
    let bundle = dir.path().join("tile/entries/001");
    let good = fs::read(&bundle).unwrap();
    fs::remove_file(dir.path().join("tile/0/001")).unwrap();
    fs::remove_file(&bundle).unwrap();
    let lost = rebuilt(dir.path(), 600).unwrap_err();
    assert!(
        matches!(
            lost,
            TileLogError::Behind {
                have: 256,
                needed: 600
            }
        ),
        "{lost}"
    );
    let mut rotten = good.clone();
    rotten[100] ^= 1;
    fs::write(&bundle, &rotten).unwrap();
    let root = rebuilt(dir.path(), 600).unwrap_err();
    assert!(
        matches!(root, TileLogError::Root { size: 600, .. }),
        "{root}"
    );
    fs::write(&bundle, &good[..100]).unwrap();
    let cut = rebuilt(dir.path(), 600).unwrap_err();
    assert!(
        matches!(cut, TileLogError::Bundle { index: 1, .. }),
        "{cut}"
    );
    assert!(!dir.path().join("tile/0/001").exists());
    // What somebody kept is put back.
    fs::write(&bundle, &good).unwrap();
    assert_eq!(rebuilt(dir.path(), 600).unwrap().size(), 600);
}

#[test]
fn what_is_wrong_is_told_until_it_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let log = grown(dir.path(), 1);
    assert_eq!(log.trouble(), None);
    assert!(log.report(Upkeep::Audit, Some("rot".to_owned())));
    assert!(
        !log.report(Upkeep::Audit, Some("rot".to_owned())),
        "no news"
    );
    assert!(log.report(Upkeep::Filling, Some("a gap".to_owned())));
    assert_eq!(log.trouble().unwrap(), "a gap; rot");
    assert!(log.report(Upkeep::Audit, None) && log.report(Upkeep::Filling, None));
    assert_eq!(log.trouble(), None);
}

/// Copies a folder of tiles.
fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    copy_into(from, to.path());
    to
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

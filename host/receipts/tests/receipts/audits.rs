//! Audits: an honest log passes at every size, and whatever was changed is found and named.

use std::collections::BTreeMap;

use aureole_receipts::{
    AuditError, BundleError, Checkpoint, Hash, Head, Leaf, LeafError, LogError, ProofError, Tile,
    audit, decode_bundle, encode_bundle, tiles_of,
};
use proptest::prelude::*;

use crate::kit::{checkpoint, hashes, heads, leaf, written};

type Tiles = BTreeMap<Tile, Vec<u8>>;
type Found = AuditError<std::convert::Infallible>;

/// An honest log of a size, and its checkpoint.
fn log(size: u64) -> (Tiles, Checkpoint) {
    let (writer, tiles) = written((0..size).map(leaf));
    (tiles, checkpoint(writer.tree().head()))
}

/// Changes the leaves of a bundle, and nothing else.
fn edit(tiles: &mut Tiles, bundle: Tile, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let bytes = tiles.get_mut(&bundle).unwrap();
    let entries = decode_bundle(bytes).unwrap();
    let mut entries = entries.into_iter().map(<[u8]>::to_vec).collect();
    change(&mut entries);
    *bytes = encode_bundle(&entries).unwrap();
}

fn found(tiles: &Tiles, checkpoint: &Checkpoint) -> Found {
    audit(tiles, checkpoint, None).unwrap_err()
}

#[test]
fn an_honest_log_passes_against_every_earlier_checkpoint() {
    let (tiles, now) = log(600);
    for head in heads(&hashes(600)) {
        let report = audit(&tiles, &now, Some(&checkpoint(head))).unwrap();
        assert_eq!(report.head, *now.head());
        assert_eq!(report.earlier, head.size);
        assert_eq!(report.tiles, tiles_of(600).count() as u64);
    }
}

#[test]
fn an_honest_log_passes_at_the_edges_of_its_tiles() {
    for size in [0, 1, 255, 256, 257, 512, 65_536, 65_537] {
        let (tiles, now) = log(size);
        let report = audit(&tiles, &now, None).unwrap();
        assert_eq!(report.tiles, tiles_of(size).count() as u64, "{size}");
    }
}

#[test]
fn a_log_that_grew_still_passes_the_checkpoints_it_outgrew() {
    let (tiles, _) = log(65_536);
    for size in [1, 255, 300, 512, 65_535] {
        let then = written((0..size).map(leaf)).0;
        audit(&tiles, &checkpoint(then.tree().head()), None).unwrap();
    }
}

#[test]
fn a_rewritten_leaf_is_named() {
    let (mut tiles, now) = log(300);
    let bundle = Tile::entries(1, 44).unwrap();
    edit(&mut tiles, bundle, |entries| {
        entries[4] = leaf(999).encode()
    });
    let expected = leaf(260).hash();
    assert!(matches!(
        found(&tiles, &now),
        AuditError::Rewritten { index: 260, found, expected: e }
            if found == leaf(999).hash() && e == expected
    ));
}

#[test]
fn reordered_leaves_are_named() {
    let (mut tiles, now) = log(300);
    edit(&mut tiles, Tile::entries(0, 256).unwrap(), |entries| {
        entries.swap(3, 9)
    });
    let reordered = found(&tiles, &now);
    assert!(matches!(
        reordered,
        AuditError::Reordered {
            index: 3,
            belongs: 9
        }
    ));
}

#[test]
fn dropped_leaves_are_named() {
    for (place, index) in [(5, 261), (43, 299)] {
        let (mut tiles, now) = log(300);
        let bundle = Tile::entries(1, 44).unwrap();
        edit(&mut tiles, bundle, |entries| drop(entries.remove(place)));
        assert!(matches!(
            found(&tiles, &now),
            AuditError::Dropped { index: i, found: 43, expected: 44, bundle: b }
                if i == index && b == bundle
        ));
    }
}

#[test]
fn a_leaf_too_many_is_named() {
    let (mut tiles, now) = log(300);
    let bundle = Tile::entries(1, 44).unwrap();
    edit(&mut tiles, bundle, |entries| {
        entries.push(leaf(300).encode())
    });
    let surplus = found(&tiles, &now);
    assert!(matches!(
        surplus,
        AuditError::Surplus {
            found: 45,
            expected: 44,
            ..
        }
    ));
}

#[test]
fn two_leaves_of_one_task_are_named() {
    let numbers = (0..300).map(|number| if number == 270 { 12 } else { number });
    let (writer, tiles) = written(numbers.map(leaf));
    let now = checkpoint(writer.tree().head());
    assert!(matches!(
        found(&tiles, &now),
        AuditError::Duplicated { task, first: 12, second: 270 } if task == leaf(12).task
    ));
}

#[test]
fn an_entry_that_is_no_leaf_is_named() {
    let entry = b"something else".to_vec();
    let tiles = Tiles::from([
        (
            Tile::entries(0, 1).unwrap(),
            encode_bundle(&[&entry]).unwrap(),
        ),
        (
            Tile::hashes(0, 0, 1).unwrap(),
            Hash::of_leaf(&entry).as_bytes().to_vec(),
        ),
    ]);
    let head = Head {
        size: 1,
        root: Hash::of_leaf(&entry),
    };
    let no_leaf = found(&tiles, &checkpoint(head));
    let source = LeafError::Version {
        found: b's',
        known: 1,
    };
    assert!(matches!(no_leaf, AuditError::NoLeaf { index: 0, source: s } if s == source));
}

#[test]
fn a_tile_above_that_does_not_follow_is_named() {
    let (mut tiles, now) = log(600);
    let above = Tile::hashes(1, 0, 2).unwrap();
    tiles.get_mut(&above).unwrap()[40] ^= 1;
    assert!(matches!(found(&tiles, &now), AuditError::Tile { tile } if tile == above));
}

#[test]
fn a_log_with_a_hole_or_a_broken_bundle_is_named() {
    let (tiles, now) = log(600);
    for tile in tiles_of(600) {
        let mut holed = tiles.clone();
        holed.remove(&tile);
        let missing = found(&holed, &now);
        assert!(matches!(missing, AuditError::Log(LogError::Missing { tile: t }) if t == tile));
    }
    let (mut tiles, bundle) = (tiles, Tile::entries(2, 88).unwrap());
    tiles.get_mut(&bundle).unwrap().pop();
    assert!(matches!(
        found(&tiles, &now),
        AuditError::Log(LogError::Bundle {
            source: BundleError::Truncated { entry: 87, .. },
            ..
        })
    ));
}

/// A log whose tiles and bundles were all made again after its leaves were changed.
fn rewritten(size: u64, change: impl FnOnce(&mut Vec<Leaf>)) -> (Tiles, Checkpoint) {
    let mut leaves: Vec<Leaf> = (0..size).map(leaf).collect();
    change(&mut leaves);
    let (writer, tiles) = written(leaves);
    (tiles, checkpoint(writer.tree().head()))
}

#[test]
fn a_log_made_again_does_not_pass_the_checkpoint_it_had() {
    let (_, signed) = log(300);
    let (tiles, _) = rewritten(300, |leaves| leaves[100].proof = leaf(999).proof);
    let root = found(&tiles, &signed);
    assert!(matches!(root, AuditError::Root { size: 300, .. }));
}

#[test]
fn a_history_rewritten_and_signed_anew_does_not_pass_an_earlier_checkpoint() {
    let (_, kept) = log(200);
    let changes: [fn(&mut Vec<Leaf>); 4] = [
        |leaves| leaves[100].finished_ms += 1,
        |leaves| leaves.swap(10, 11),
        |leaves| leaves.retain(|leaf| leaf.submitted_ms % 1000 != 199),
        |leaves| leaves.insert(0, leaf(999)),
    ];
    for change in changes {
        let (tiles, now) = rewritten(400, change);
        audit(&tiles, &now, None).unwrap();
        let history = audit(&tiles, &now, Some(&kept)).unwrap_err();
        assert!(matches!(
            history,
            AuditError::History { size: 200, promised, .. } if promised == kept.head().root
        ));
    }
    // After the earlier checkpoint, nothing was promised.
    let (tiles, now) = rewritten(400, |leaves| leaves.swap(200, 201));
    audit(&tiles, &now, Some(&kept)).unwrap();
}

#[test]
fn checkpoints_that_cannot_follow_each_other_are_named() {
    let (tiles, now) = log(300);
    let compare = |earlier: &Checkpoint| audit(&tiles, &now, Some(earlier)).unwrap_err();
    let shrunk = compare(&log(301).1);
    let expected = ProofError::Shrunk { old: 301, new: 300 };
    assert!(matches!(shrunk, AuditError::Heads(source) if source == expected));
    let forked = compare(&rewritten(300, |leaves| leaves.swap(0, 1)).1);
    assert!(matches!(
        forked,
        AuditError::Heads(ProofError::Forked { size: 300, .. })
    ));
    let other = Checkpoint::new("other.example/log", *now.head()).unwrap();
    assert!(matches!(compare(&other), AuditError::Origin { .. }));
    let nothing = checkpoint(Head {
        size: 0,
        root: now.head().root,
    });
    assert!(matches!(
        compare(&nothing),
        AuditError::History { size: 0, .. }
    ));
}

proptest! {
    #[test]
    fn no_bit_of_any_tile_can_be_flipped(size in 1_u64..600, place: usize, bit: usize) {
        let (mut tiles, now) = log(size);
        let names: Vec<Tile> = tiles.keys().copied().collect();
        let bytes = tiles.get_mut(&names[place % names.len()]).unwrap();
        let bit = bit % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(audit(&tiles, &now, None).is_err());
    }
}

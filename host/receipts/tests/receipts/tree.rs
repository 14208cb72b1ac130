//! The compact tree: the RFC's roots at every size, equal on every coordinator, small when stored.

use aureole_receipts::limits::LEAVES_MAX;
use aureole_receipts::{Hash, Tree, TreeError};

use crate::kit::{hashes, heads, rfc, tree};

#[test]
fn the_root_at_every_size_is_the_rfcs() {
    let leaves = hashes(600);
    for (size, head) in heads(&leaves).into_iter().enumerate() {
        assert_eq!(head.size, size as u64);
        assert_eq!(head.root, rfc::root(&leaves[..size]), "size {size}");
    }
}

#[test]
fn a_stored_tree_continues_as_if_it_had_not_been_stored() {
    let leaves = hashes(300);
    for size in 0..leaves.len() {
        let here = tree(&leaves[..size]);
        let json: Tree = serde_json::from_str(&serde_json::to_string(&here).unwrap()).unwrap();
        let mut compact: Tree = postcard::from_bytes(&postcard::to_stdvec(&here).unwrap()).unwrap();
        assert_eq!(json, here);
        assert_eq!(compact, here);
        assert_eq!(compact.append(leaves[size]), Ok(size as u64));
        assert_eq!(compact, tree(&leaves[..=size]));
    }
}

/// A tree of a size with the peaks that it must have, of no leaves in particular.
fn stored(size: u64, peaks: u32) -> Result<Tree, serde_json::Error> {
    let peaks = vec![Hash::empty(); peaks as usize];
    serde_json::from_value(serde_json::json!({ "size": size, "peaks": peaks }))
}

#[test]
fn the_largest_stored_tree_is_under_two_kilobytes() {
    let largest = stored(LEAVES_MAX - 1, 48).unwrap();
    assert!(postcard::to_stdvec(&largest).unwrap().len() < 1600);
}

#[test]
fn a_full_tree_takes_no_leaf_and_stays_as_it_is() {
    let mut tree = stored(LEAVES_MAX - 1, 48).unwrap();
    assert_eq!(tree.append(Hash::empty()), Ok(LEAVES_MAX - 1));
    let full = TreeError::Full {
        size: LEAVES_MAX,
        max: LEAVES_MAX,
    };
    let before = tree.clone();
    assert_eq!(tree.append(Hash::empty()), Err(full));
    assert_eq!(tree, before);
}

#[test]
fn a_damaged_tree_is_refused_when_it_is_read() {
    let peaks = TreeError::Peaks {
        size: 7,
        expected: 3,
        found: 2,
    };
    assert_eq!(stored(7, 2).unwrap_err().to_string(), peaks.to_string());
    let full = TreeError::Full {
        size: LEAVES_MAX + 1,
        max: LEAVES_MAX,
    };
    let error = stored(LEAVES_MAX + 1, 2).unwrap_err();
    assert_eq!(error.to_string(), full.to_string());
}

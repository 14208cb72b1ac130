//! Proofs from tiles: every one verifies, none does with a bit changed, and refusals are named.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::LazyLock;

use aureole_receipts::limits::TILES_KEPT;
use aureole_receipts::{
    Hash, Head, Leaf, Log, LogError, ProofError, Tile, TileReader, tiles_for_consistency,
    tiles_for_inclusion, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

use crate::kit::{Shelf, hashes, heads, leaf, rfc};

/// Every size up to here is tried whole. Past two full tiles and their hash above.
const SIZES: u64 = 600;

/// A log with three levels of tiles.
const LARGE: u64 = 70_000;

struct Big {
    shelf: Shelf,
    hashes: Vec<Hash>,
    heads: Vec<Head>,
}

static BIG: LazyLock<Big> = LazyLock::new(|| {
    let leaves: Vec<Leaf> = (0..LARGE).map(leaf).collect();
    let hashes: Vec<Hash> = leaves.iter().map(Leaf::hash).collect();
    Big {
        shelf: Shelf::of(&leaves),
        heads: heads(&hashes),
        hashes,
    }
});

fn at<T>(items: &[T], index: u64) -> &T {
    &items[usize::try_from(index).unwrap()]
}

fn flip(hash: &Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

#[test]
fn every_leaf_of_every_size_has_an_inclusion_proof_that_verifies() {
    for size in 1..=SIZES {
        let mut log = Log::new(&BIG.shelf, size);
        assert_eq!(log.root_at(size).unwrap(), at(&BIG.heads, size).root);
        for index in 0..size {
            let proof = log.inclusion(index).unwrap();
            let leaf = log.leaf_hash(index).unwrap();
            assert_eq!(leaf, *at(&BIG.hashes, index));
            verify_inclusion(&leaf, index, &proof, at(&BIG.heads, size)).unwrap();
        }
    }
}

#[test]
fn every_pair_of_sizes_has_a_consistency_proof_that_verifies() {
    for new in 0..=SIZES {
        let mut log = Log::new(&BIG.shelf, new);
        for old in 0..=new {
            let proof = log.consistency(old).unwrap();
            verify_consistency(at(&BIG.heads, old), at(&BIG.heads, new), &proof).unwrap();
            assert_eq!(log.root_at(old).unwrap(), at(&BIG.heads, old).root);
        }
    }
}

#[test]
fn proofs_are_the_rfcs_own() {
    let leaves = hashes(100);
    for size in 1..=leaves.len() {
        let mut log = Log::new(&BIG.shelf, size as u64);
        for place in 0..size {
            let path = rfc::path(place, &leaves[..size]);
            assert_eq!(log.inclusion(place as u64).unwrap(), path);
            let proof = rfc::proof(place, &leaves[..size]);
            assert_eq!(log.consistency(place as u64).unwrap(), proof);
        }
    }
}

#[test]
fn no_bit_of_a_small_inclusion_proof_can_be_flipped() {
    for size in 1..=12 {
        let head = at(&BIG.heads, size);
        for index in 0..size {
            let proof = Log::new(&BIG.shelf, size).inclusion(index).unwrap();
            let leaf = at(&BIG.hashes, index);
            for bit in 0..256 {
                let root = flip(&head.root, bit);
                let bad = verify_inclusion(&flip(leaf, bit), index, &proof, head);
                assert!(matches!(bad, Err(ProofError::Inclusion { .. })));
                assert!(verify_inclusion(leaf, index, &proof, &Head { root, ..*head }).is_err());
                for place in 0..proof.len() {
                    let mut proof = proof.clone();
                    proof[place] = flip(&proof[place], bit);
                    assert!(verify_inclusion(leaf, index, &proof, head).is_err());
                }
            }
            for other in (0..size).filter(|other| *other != index) {
                assert!(verify_inclusion(leaf, other, &proof, head).is_err());
            }
        }
    }
}

#[test]
fn no_bit_of_a_small_consistency_proof_can_be_flipped() {
    for (old, new) in (2..=12).flat_map(|new| (1..new).map(move |old| (old, new))) {
        let proof = Log::new(&BIG.shelf, new).consistency(old).unwrap();
        let (old, new) = (at(&BIG.heads, old), at(&BIG.heads, new));
        for bit in 0..256 {
            let changed = |head: &Head| Head {
                root: flip(&head.root, bit),
                ..*head
            };
            assert!(verify_consistency(&changed(old), new, &proof).is_err());
            let later = verify_consistency(old, &changed(new), &proof);
            assert!(matches!(later, Err(ProofError::Later { .. })));
            for place in 0..proof.len() {
                let mut proof = proof.clone();
                proof[place] = flip(&proof[place], bit);
                assert!(verify_consistency(old, new, &proof).is_err());
            }
        }
    }
}

#[test]
fn a_proof_of_another_length_or_place_is_refused() {
    let head = at(&BIG.heads, 8);
    let mut proof = Log::new(&BIG.shelf, 8).inclusion(3).unwrap();
    let leaf = at(&BIG.hashes, 3);
    let beyond = ProofError::Beyond { index: 8, size: 8 };
    assert_eq!(verify_inclusion(leaf, 8, &proof, head), Err(beyond));
    proof.push(Hash::empty());
    let length = ProofError::Length {
        found: 4,
        expected: 3,
    };
    let refused = verify_inclusion(leaf, 3, &proof, head);
    assert_eq!(refused, Err(length.clone()));
    let refused = verify_consistency(at(&BIG.heads, 1), head, &proof);
    assert_eq!(refused, Err(length));
}

#[test]
fn a_log_that_shrank_forked_or_changed_is_named_so() {
    let (old, new) = (at(&BIG.heads, 6), at(&BIG.heads, 8));
    let proof = Log::new(&BIG.shelf, 8).consistency(6).unwrap();
    let shrunk = ProofError::Shrunk { old: 8, new: 6 };
    assert_eq!(verify_consistency(new, old, &proof), Err(shrunk));
    let other = Head {
        root: Hash::empty(),
        ..*new
    };
    let forked = verify_consistency(&other, new, &[]);
    assert!(matches!(forked, Err(ProofError::Forked { size: 8, .. })));
    let rewritten = Head {
        root: Hash::empty(),
        ..*old
    };
    let earlier = verify_consistency(&rewritten, new, &proof);
    assert!(matches!(earlier, Err(ProofError::Earlier { size: 6, .. })));
    let later = verify_consistency(old, &other, &proof);
    assert!(matches!(later, Err(ProofError::Later { size: 8, .. })));
    let nothing = Head {
        size: 0,
        root: new.root,
    };
    let earlier = verify_consistency(&nothing, new, &[]);
    assert!(matches!(earlier, Err(ProofError::Earlier { size: 0, .. })));
}

#[test]
fn a_log_is_not_asked_beyond_its_end() {
    let mut log = Log::new(&BIG.shelf, 5);
    let beyond = |found: Result<(), LogError<_>>| matches!(found, Err(LogError::Beyond(_)));
    assert!(beyond(log.inclusion(5).map(drop)));
    assert!(beyond(log.leaf_hash(5).map(drop)));
    assert!(beyond(log.consistency(6).map(drop)));
    assert!(beyond(log.root_at(6).map(drop)));
}

#[test]
fn tiles_that_are_missing_or_malformed_are_named() {
    let mut tiles: BTreeMap<Tile, Vec<u8>> = BTreeMap::new();
    let tile = Tile::hashes(0, 0, 3).unwrap();
    let missing = Log::new(&tiles, 3).root_at(3).unwrap_err();
    assert!(matches!(missing, LogError::Missing { tile: found } if found == tile));
    tiles.insert(tile, vec![0; 95]);
    let malformed = Log::new(&tiles, 3).root_at(3).unwrap_err();
    assert!(matches!(
        malformed,
        LogError::Malformed { tile: found, bytes: 95, expected: 96 } if found == tile
    ));
}

#[test]
fn a_reader_that_fails_is_the_cause() {
    struct Broken;
    impl TileReader for Broken {
        type Error = std::io::Error;
        fn read(&self, _: &Tile) -> Result<Option<Vec<u8>>, std::io::Error> {
            Err(std::io::Error::other("no disk"))
        }
    }
    let error = Log::new(&Broken, 3).inclusion(1).unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert!(matches!(error, LogError::Read { .. }));
    assert_eq!(source.to_string(), "no disk");
}

/// Reads from the large log and counts how often it was asked for the first tile.
#[derive(Default)]
struct Counting(Cell<u32>);

impl TileReader for Counting {
    type Error = Infallible;
    fn read(&self, tile: &Tile) -> Result<Option<Vec<u8>>, Infallible> {
        self.0.set(self.0.get() + u32::from(tile.index() == 0));
        BIG.shelf.read(tile)
    }
}

#[test]
fn a_log_reads_a_tile_once_and_keeps_a_bounded_number() {
    let reader = Counting::default();
    let mut log = Log::new(&reader, LARGE);
    let reads = |log: &mut Log<'_, Counting>, tile: u64| {
        assert_eq!(
            log.leaf_hash(tile * 256).unwrap(),
            *at(&BIG.hashes, tile * 256)
        );
        reader.0.get()
    };
    assert_eq!(reads(&mut log, 0), 1);
    for tile in 1..TILES_KEPT as u64 {
        reads(&mut log, tile);
    }
    assert_eq!(reads(&mut log, 0), 1);
    reads(&mut log, TILES_KEPT as u64);
    assert_eq!(reads(&mut log, 0), 2);
}

#[test]
fn where_a_partial_tile_is_gone_the_full_one_stands_in() {
    let full = [
        Tile::hashes(0, 0, 256),
        Tile::hashes(0, 1, 256),
        Tile::hashes(1, 0, 256),
    ];
    let tiles = fetched(full.into_iter().map(Result::unwrap));
    for size in [1, 255, 300, 511] {
        let mut log = Log::new(&tiles, size);
        assert_eq!(log.root_at(size).unwrap(), at(&BIG.heads, size).root);
        let proof = log.inclusion(size / 2).unwrap();
        let leaf = at(&BIG.hashes, size / 2);
        verify_inclusion(leaf, size / 2, &proof, at(&BIG.heads, size)).unwrap();
    }
}

/// The tiles named, from the large log.
fn fetched(names: impl IntoIterator<Item = Tile>) -> BTreeMap<Tile, Vec<u8>> {
    let bytes = |tile: Tile| Some((tile, BIG.shelf.read(&tile).unwrap()?));
    names.into_iter().filter_map(bytes).collect()
}

proptest! {
    #[test]
    fn larger_logs_prove_inclusion_from_the_tiles_named(
        size in 1..=LARGE, seed: u64, place: usize, bit in 0_usize..256,
    ) {
        let index = seed % size;
        let head = at(&BIG.heads, size);
        let tiles = fetched(tiles_for_inclusion(index, size));
        let mut proof = Log::new(&tiles, size).inclusion(index).unwrap();
        let leaf = at(&BIG.hashes, index);
        prop_assert_eq!(verify_inclusion(leaf, index, &proof, head), Ok(()));
        prop_assert!(verify_inclusion(&flip(leaf, bit), index, &proof, head).is_err());
        if !proof.is_empty() {
            let place = place % proof.len();
            proof[place] = flip(&proof[place], bit);
            prop_assert!(verify_inclusion(leaf, index, &proof, head).is_err());
        }
    }

    #[test]
    fn larger_logs_prove_consistency_from_the_tiles_named(
        new in 1..=LARGE, seed: u64, place: usize, bit in 0_usize..256,
    ) {
        let old = seed % (new + 1);
        let (earlier, later) = (at(&BIG.heads, old), at(&BIG.heads, new));
        let tiles = fetched(tiles_for_consistency(old, new));
        let mut proof = Log::new(&tiles, new).consistency(old).unwrap();
        prop_assert_eq!(verify_consistency(earlier, later, &proof), Ok(()));
        if !proof.is_empty() {
            let place = place % proof.len();
            proof[place] = flip(&proof[place], bit);
            prop_assert!(verify_consistency(earlier, later, &proof).is_err());
        }
    }
}

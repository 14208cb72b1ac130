//! The writer: exactly the tiles that the specification has, each full one once, and resumable.

use std::collections::BTreeMap;

use aureole_receipts::{Hash, Leaf, Tile, TileReader, Tree, Writer, tiles_of};

use crate::kit::{Shelf, hashes, leaf, tree, written};

#[test]
fn at_every_size_the_tiles_are_those_of_the_specification() {
    let leaves: Vec<Leaf> = (0..600).map(leaf).collect();
    let shelf = Shelf::of(&leaves);
    let mut writer = Writer::new();
    let mut full = BTreeMap::new();
    for (size, leaf) in (1..).zip(&leaves) {
        let appended = writer.append(leaf).unwrap();
        assert_eq!(appended.index, size - 1);
        full.extend(appended.completed.into_iter().map(|t| (t.tile, t.bytes)));
        let mut tiles = full.clone();
        tiles.extend(writer.partials().into_iter().map(|t| (t.tile, t.bytes)));
        let expected: BTreeMap<Tile, Vec<u8>> = tiles_of(size)
            .map(|tile| (tile, shelf.read(&tile).unwrap().unwrap()))
            .collect();
        assert_eq!(tiles, expected, "size {size}");
    }
}

#[test]
fn the_append_that_fills_two_levels_completes_both() {
    let mut writer = Writer::new();
    for number in 0..65_535 {
        writer.append(&leaf(number)).unwrap();
    }
    let done = writer.append(&leaf(65_535)).unwrap();
    let paths: Vec<String> = done.completed.iter().map(|t| t.tile.to_string()).collect();
    assert_eq!(paths, ["tile/0/255", "tile/1/000", "tile/entries/255"]);
    let partials: Vec<String> = writer
        .partials()
        .iter()
        .map(|t| t.tile.to_string())
        .collect();
    assert_eq!(partials, ["tile/2/000.p/1"]);
}

#[test]
fn an_empty_log_has_nothing_to_write() {
    assert_eq!(Writer::new().partials(), []);
    assert_eq!(Writer::new().tree(), &Tree::new());
}

#[test]
fn a_resumed_writer_goes_on_as_the_first_would_have() {
    for size in [0, 1, 255, 256, 257, 511, 512, 600] {
        let (mut first, tiles) = written((0..size).map(leaf));
        let mut second = Writer::resume(&tiles, first.tree()).unwrap().unwrap();
        for number in size..size + 300 {
            let leaf = leaf(number);
            assert_eq!(second.append(&leaf), first.append(&leaf), "from {size}");
        }
        assert_eq!(second.partials(), first.partials());
        assert_eq!(second.tree(), first.tree());
    }
}

#[test]
fn a_writer_does_not_resume_from_the_tiles_of_another_log() {
    let (_, mut tiles) = written((0..300).map(leaf));
    let mut others = hashes(300);
    others[7] = Hash::empty();
    assert!(Writer::resume(&tiles, &tree(&others)).unwrap().is_none());
    let bundle = Tile::entries(1, 44).unwrap();
    let changed = leaf(1000).encode();
    let bytes = tiles.get_mut(&bundle).unwrap();
    bytes[2..195].copy_from_slice(&changed);
    let tree = tree(&hashes(300));
    assert!(Writer::resume(&tiles, &tree).unwrap().is_none());
    tiles.remove(&bundle);
    assert!(Writer::resume(&tiles, &tree).is_err());
}

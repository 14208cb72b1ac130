//! Tiles and bundles: the specification's paths and counts, strictly; what a log of a size has.

use std::collections::BTreeMap;

use aureole_receipts::limits::{LEAVES_MAX, TILE_LEVEL_MAX};
use aureole_receipts::{
    BundleError, Tile, TileError, TileKind, decode_bundle, encode_bundle, tiles_of,
};
use proptest::prelude::*;

#[test]
fn paths_are_the_specifications() {
    let cases = [
        (Tile::hashes(0, 0, 256), "tile/0/000"),
        (Tile::hashes(0, 1_234_067, 256), "tile/0/x001/x234/067"),
        (Tile::hashes(1, 273, 112), "tile/1/273.p/112"),
        (Tile::hashes(0, 1000, 1), "tile/0/x001/000.p/1"),
        (Tile::entries(999, 255), "tile/entries/999.p/255"),
        (Tile::entries(1_000_000, 256), "tile/entries/x001/x000/000"),
    ];
    for (tile, path) in cases {
        let tile = tile.unwrap();
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
    }
}

#[test]
fn other_spellings_of_a_path_are_refused() {
    let bad = [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/0/x000/000",
        "tile/0/001/234",
        "tile/0/x001",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/+00",
        "tile/x/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/-1/000",
        "tile/0/../000",
        "tile/0/x001/x234/x067",
        "tile/0/999999999999999999999",
    ];
    for path in bad {
        let error = path.parse::<Tile>().unwrap_err();
        assert!(matches!(error, TileError::Path { .. }), "{path:?}: {error}");
    }
}

#[test]
fn tiles_that_no_log_has_are_refused() {
    let level = TileError::Level {
        level: TILE_LEVEL_MAX + 1,
        max: TILE_LEVEL_MAX,
    };
    assert_eq!(Tile::hashes(7, 0, 1), Err(level.clone()));
    assert_eq!("tile/7/000.p/1".parse::<Tile>(), Err(level));
    for width in [0, 257] {
        let error = TileError::Width { width, max: 256 };
        assert_eq!(Tile::entries(0, width), Err(error));
    }
    let count = LEAVES_MAX / 256;
    assert!(Tile::entries(count - 1, 256).is_ok());
    let index = TileError::Index {
        index: count,
        count,
    };
    assert_eq!(Tile::entries(count, 256), Err(index));
}

#[test]
fn a_log_of_70_000_has_the_tiles_that_the_specification_counts() {
    let mut widths: BTreeMap<(TileKind, u16), u64> = BTreeMap::new();
    for tile in tiles_of(70_000) {
        *widths.entry((tile.kind(), tile.width())).or_default() += 1;
    }
    let hashes = |level, width| (TileKind::Hashes { level }, width);
    let expected = BTreeMap::from([
        (hashes(0, 256), 273),
        (hashes(0, 112), 1),
        (hashes(1, 256), 1),
        (hashes(1, 17), 1),
        (hashes(2, 1), 1),
        ((TileKind::Entries, 256), 273),
        ((TileKind::Entries, 112), 1),
    ]);
    assert_eq!(widths, expected);
}

#[test]
fn a_log_of_256_has_a_full_tile_and_one_hash_above() {
    let paths: Vec<String> = tiles_of(256).map(|tile| tile.to_string()).collect();
    assert_eq!(paths, ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    assert_eq!(tiles_of(0).count(), 0);
}

#[test]
fn the_largest_log_has_one_hash_at_the_highest_level() {
    assert!(Tile::hashes(TILE_LEVEL_MAX, 0, 1).is_ok());
    let index = TileError::Index { index: 1, count: 1 };
    assert_eq!(Tile::hashes(TILE_LEVEL_MAX, 1, 1), Err(index));
}

#[test]
fn a_bundle_that_is_cut_or_too_large_is_refused() {
    let bytes = encode_bundle(&[&b"one"[..], b"", b"three"]).unwrap();
    assert_eq!(bytes, b"\0\x03one\0\0\0\x05three");
    let cut = |bytes, entry| Err(BundleError::Truncated { bytes, entry });
    assert_eq!(decode_bundle(&bytes[..13]), cut(13, 2));
    assert_eq!(decode_bundle(&bytes[..1]), cut(1, 0));
    let too_many = BundleError::TooMany { max: 256 };
    assert_eq!(encode_bundle(&vec![b""; 257]), Err(too_many.clone()));
    assert_eq!(decode_bundle(&[0; 2 * 257]), Err(too_many));
    let too_long = BundleError::TooLong {
        bytes: 65_536,
        max: 65_535,
    };
    assert_eq!(encode_bundle(&[vec![0; 65_536]]), Err(too_long));
}

proptest! {
    #[test]
    fn every_path_parses_back(
        level in 0..=TILE_LEVEL_MAX, seed in any::<u64>(), width in 1_u16..=256, entries: bool,
    ) {
        let count = (LEAVES_MAX >> (8 * u32::from(level))).div_ceil(256);
        let tile = if entries {
            Tile::entries(seed % (LEAVES_MAX / 256), width)
        } else {
            Tile::hashes(level, seed % count, width)
        };
        let tile = tile.unwrap();
        prop_assert_eq!(tile.to_string().parse(), Ok(tile));
    }

    #[test]
    fn no_text_makes_the_parser_fail_otherwise(text in "(tile/)?[0-9a-z/.+x -]{0,40}") {
        if let Ok(tile) = text.parse::<Tile>() {
            prop_assert_eq!(tile.to_string(), text);
        }
    }

    #[test]
    fn a_bundle_decodes_to_what_was_encoded(
        entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..=40),
    ) {
        let bytes = encode_bundle(&entries).unwrap();
        prop_assert_eq!(decode_bundle(&bytes).unwrap(), entries);
    }
}

#[test]
fn a_tile_can_be_cut_to_what_it_was_when_it_was_narrower() {
    let wide = Tile::hashes(0, 3, 40).unwrap();
    let narrow = wide.of_width(2).unwrap();
    assert_eq!(narrow, Tile::hashes(0, 3, 2).unwrap());
    assert_eq!(narrow.cut(&[7; 40 * 32]), Some(vec![7; 64]));
    assert_eq!(narrow.cut(&[7; 63]), None);
    let bundle = encode_bundle(&[&b"one"[..], b"two", b"three"]).unwrap();
    let two = Tile::entries(3, 2).unwrap();
    let cut = encode_bundle(&[&b"one"[..], b"two"]).unwrap();
    assert_eq!(two.cut(&bundle), Some(cut));
    assert_eq!(two.of_width(4).unwrap().cut(&bundle), None);
    assert_eq!(two.cut(b"\0"), None);
    assert!(wide.of_width(0).is_err());
}

#[test]
fn a_log_has_the_tiles_that_its_size_fills() {
    for size in [0, 1, 255, 256, 257, 70_000] {
        for tile in tiles_of(size) {
            assert!(
                tile.is_within(size) && tile.is_within(size + 1),
                "{tile} of {size}"
            );
        }
    }
    assert!(!Tile::hashes(0, 0, 5).unwrap().is_within(4));
    assert!(!Tile::hashes(1, 0, 1).unwrap().is_within(255));
    assert!(Tile::hashes(1, 0, 1).unwrap().is_within(256));
    assert!(!Tile::entries(1, 1).unwrap().is_within(256));
}

//! Pictures from k = 4 to k = 15: what must be there is there, and no label meets another.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "a test stops at the first broken fact"
)]

mod common;

use std::collections::BTreeMap;

use aureole_draw::{Picture, PngError, Shape, layout, png, svg};
use common::{Blocks, blocks};

fn picture(count: u32, lanes: usize, table_rows: u64) -> (u32, Picture) {
    let (circuit, annotations) = blocks(Blocks {
        blocks: count,
        lanes,
        table_rows,
    });
    (
        circuit.circuit().k,
        layout(&circuit, &annotations, "blocks"),
    )
}

/// From the smallest circuit to one of 32768 rows, and a wide one.
fn sizes() -> Vec<(u32, Picture)> {
    vec![
        picture(0, 1, 5),
        picture(1, 1, 4),
        picture(5, 12, 100),
        picture(1000, 6, 1024),
        picture(20, 60, 16),
    ]
}

fn texts(picture: &Picture) -> Vec<&str> {
    let texts = picture.shapes.iter().filter_map(|shape| match shape {
        Shape::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn no_label_meets_another_or_leaves_the_picture() {
    let sizes = sizes();
    assert_eq!(sizes.first().unwrap().0, 4);
    assert!(sizes.iter().any(|(k, _)| *k == 15));
    for (k, picture) in sizes {
        let boxes: Vec<_> = picture
            .shapes
            .iter()
            .filter_map(|s| Some((s, s.text_box()?)))
            .collect();
        for (index, (shape, (x, y, width, height))) in boxes.iter().enumerate() {
            let inside = *x >= 0.0
                && *y >= 0.0
                && x + width <= picture.width
                && y + height <= picture.height;
            assert!(inside, "k = {k}: {shape:?}");
            for (other, (left, top, wide, high)) in boxes.iter().skip(index + 1) {
                let apart = x + width <= left + 0.6
                    || left + wide <= x + 0.6
                    || y + height <= top + 1.1
                    || top + high <= y + 1.1;
                assert!(apart, "k = {k}: {shape:?} meets {other:?}");
            }
        }
    }
}

#[test]
fn a_picture_of_any_size_stays_a_page() {
    for (k, picture) in sizes() {
        assert!(
            picture.height < 1400.0 && picture.width < 2000.0,
            "k = {k}: {} x {}",
            picture.width,
            picture.height
        );
        assert!(svg(&picture).len() < 2 << 20, "k = {k}");
    }
}

#[test]
fn the_structure_of_a_small_picture_is_golden() {
    let (_, picture) = picture(1, 1, 4);
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for shape in &picture.shapes {
        *classes.entry(shape.class()).or_default() += 1;
    }
    // Boxes: four regions, of which one stands in two groups of columns, and a public input.
    for (class, count) in [
        ("title", 1),
        ("group", 10),
        ("column", 8),
        ("usable", 1),
        ("blinding", 1),
        ("class", 4),
    ] {
        assert_eq!(classes.get(class), Some(&count), "{class}: {classes:?}");
    }
    for class in [
        "region", "box", "fixed", "fill", "on", "public", "equality", "spare", "leader", "key",
    ] {
        assert!(classes.contains_key(class), "{class}: {classes:?}");
    }
    let texts = texts(&picture);
    for text in [
        "blocks",
        "3 advice",
        "1 table",
        "2 selectors",
        "a0",
        "f1",
        "s1",
        "total",
        "small numbers",
        "last usable row",
    ] {
        assert!(texts.contains(&text), "{text}: {texts:?}");
    }
}

#[test]
fn an_svg_is_one_document_whose_names_cannot_break_out() {
    let (circuit, mut annotations) = blocks(Blocks {
        blocks: 1,
        lanes: 1,
        table_rows: 4,
    });
    annotations.regions.last_mut().unwrap().name = "</svg><script>\"&\u{1b}".to_owned();
    let text = svg(&layout(&circuit, &annotations, "<title>"));
    assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
    assert_eq!(text.matches("<svg").count(), 1);
    assert!(
        !text.contains("<script") && !text.contains('\u{1b}'),
        "{text}"
    );
    assert_eq!(
        text,
        svg(&layout(&circuit, &annotations, "<title>")),
        "not the same twice"
    );
}

#[test]
fn a_circuit_without_names_is_drawn_without_regions() {
    let (circuit, _) = blocks(Blocks {
        blocks: 1,
        lanes: 1,
        table_rows: 4,
    });
    let picture = layout(&circuit, &aureole_ir::Annotations::default(), "unnamed");
    assert!(texts(&picture).contains(&"no names were recorded"));
    assert!(!picture.shapes.iter().any(|shape| shape.class() == "region"));
}

#[test]
fn a_png_has_the_pictures_pixels_and_a_limit() {
    let (_, mut picture) = picture(1, 1, 4);
    let bytes = png(&picture).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    let side = |at: usize| u32::from_be_bytes(bytes.get(at..at + 4).unwrap().try_into().unwrap());
    assert_eq!(f64::from(side(16)), picture.width * 2.0);
    picture.height = 100_000.0;
    assert!(matches!(png(&picture), Err(PngError::TooLarge { .. })));
}

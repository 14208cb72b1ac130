//! The names of the regions, each beside its largest run of rows, with what it takes.

use aureole_ir::Annotations;

use super::axis::Axis;
use super::{Classes, GREY, INK, Painter, count};
use crate::picture::{Align, Size};

/// Between columns and names.
const GUTTER: f64 = 34.0;
/// Between two names.
const LINE: f64 = 15.0;
/// Width of a name.
const NAME_WIDTH: f64 = 242.0;

/// A class of regions.
struct Entry {
    class: usize,
    regions: u32,
    rows: u64,
    /// Middle of the largest run.
    wants: f64,
    y: f64,
}

pub(super) fn paint(
    painter: &mut Painter,
    annotations: &Annotations,
    classes: &Classes,
    axis: &Axis,
    right: f64,
) {
    let left = right + GUTTER;
    painter.small(
        "heading",
        (left, axis.top - 14.0),
        Align::Start,
        INK,
        "regions",
    );
    let mut entries = entries(annotations, classes, axis);
    let room = (((axis.bottom - axis.top) / LINE).floor() as usize).max(8);
    let hidden = cut(&mut entries, room);
    spread(&mut entries, axis);
    for entry in &entries {
        let [fill, _, border] = classes.colours(entry.class);
        painter.line(
            "leader",
            (right + 4.0, entry.wants),
            (left - 6.0, entry.y),
            border,
        );
        let swatch = [left, entry.y - 4.0, 8.0, 8.0];
        painter.fill("swatch", swatch, fill, None);
        painter.outline("swatch", swatch, border, None);
        let name = Size::Small
            .fit(classes.name(entry.class), NAME_WIDTH)
            .unwrap_or_default();
        painter.small("class", (left + 14.0, entry.y), Align::Start, INK, &name);
        let rows = match entry.regions {
            1 => format!(
                "{} row{}",
                entry.rows,
                if entry.rows == 1 { "" } else { "s" }
            ),
            many => format!("{} rows in {many}", entry.rows),
        };
        let at = (left + 14.0 + NAME_WIDTH + 12.0, entry.y);
        painter.small("rows", at, Align::Start, GREY, &rows);
    }
    let below = entries.last().map_or(axis.top, |entry| entry.y + LINE);
    if annotations.regions.is_empty() {
        painter.small(
            "class",
            (left, below),
            Align::Start,
            GREY,
            "no names were recorded",
        );
    }
    if hidden.0 > 0 {
        let text = format!(
            "and {}, {} rows",
            count(u32::try_from(hidden.0).unwrap_or(u32::MAX), "smaller kind"),
            hidden.1
        );
        painter.small("class", (left + 14.0, below), Align::Start, GREY, &text);
    }
}

fn entries(annotations: &Annotations, classes: &Classes, axis: &Axis) -> Vec<Entry> {
    let mut runs: Vec<Vec<(u32, u32)>> = vec![Vec::new(); classes.classes.len()];
    for (region, class) in annotations.regions.iter().zip(&classes.of_region) {
        if let Some(runs) = runs.get_mut(*class) {
            runs.push((
                region.first_row,
                region.first_row.saturating_add(region.rows),
            ));
        }
    }
    let entries = runs.into_iter().enumerate().map(|(class, mut runs)| {
        runs.sort_unstable();
        let rows = runs.iter().map(|(start, end)| u64::from(end - start)).sum();
        let (mut best, mut current) = ((0, 0), (0, 0));
        for (start, end) in &runs {
            current = if *start <= current.1 && current.1 > 0 {
                (current.0, current.1.max(*end))
            } else {
                (*start, *end)
            };
            if current.1 - current.0 > best.1 - best.0 {
                best = current;
            }
        }
        let wants = f64::midpoint(axis.y(best.0), axis.y(best.1));
        let regions = u32::try_from(runs.len()).unwrap_or(u32::MAX);
        Entry {
            class,
            regions,
            rows,
            wants,
            y: wants,
        }
    });
    entries.collect()
}

/// Keeps the largest entries that fit; returns how many were left out, and their rows.
fn cut(entries: &mut Vec<Entry>, room: usize) -> (usize, u64) {
    if entries.len() <= room {
        return (0, 0);
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.rows));
    let hidden = entries.split_off(room.saturating_sub(1));
    (hidden.len(), hidden.iter().map(|entry| entry.rows).sum())
}

/// Moves names apart: down where they meet, then up where they leave the picture.
fn spread(entries: &mut [Entry], axis: &Axis) {
    entries.sort_by(|a, b| a.wants.total_cmp(&b.wants));
    let mut floor = axis.top + LINE / 2.0;
    for entry in entries.iter_mut() {
        entry.y = entry.wants.max(floor);
        floor = entry.y + LINE;
    }
    let mut ceiling = axis.bottom.max(axis.top + entries.len() as f64 * LINE) - LINE / 2.0;
    for entry in entries.iter_mut().rev() {
        entry.y = entry.y.min(ceiling);
        ceiling = entry.y - LINE;
    }
}

//! Borders and names of single regions and public inputs, where they are high enough.

use aureole_ir::{Annotations, Circuit, Region};

use super::axis::Axis;
use super::columns::{Columns, Kind};
use super::{Classes, INK, PUBLIC, Painter};
use crate::limits::BOXES_MAX;
use crate::picture::{Align, Colour, Size};

/// Least height of a box with a border.
const BOX_HEIGHT_MIN: f64 = 5.0;
/// Least share of a name's characters that is shown, in tenths.
const SHOWN_TENTHS: usize = 5;

const WHITE: Colour = Colour(0xff, 0xff, 0xff);

pub(super) fn paint(
    painter: &mut Painter,
    circuit: &Circuit,
    annotations: &Annotations,
    columns: &Columns,
    axis: &Axis,
    classes: &Classes,
) {
    let few = annotations.regions.len() <= BOXES_MAX;
    for (region, class) in annotations.regions.iter().zip(&classes.of_region) {
        let y = axis.y(region.first_row);
        let height = axis.y(region.first_row.saturating_add(region.rows)) - y;
        if !few || height < BOX_HEIGHT_MIN {
            continue;
        }
        let [_, _, border] = classes.colours(*class);
        let title = title(region);
        let mut widest: Option<(bool, f64, f64)> = None;
        for (advice, x, width) in spread(region, columns) {
            let area = [x, y, width - 1.0, height - 1.0];
            painter.outline("box", area, border, Some(title.clone()));
            // The name stands among the advice, where no fixed cell is in its way.
            if widest.is_none_or(|(known, _, most)| (advice, width) > (known, most)) {
                widest = Some((advice, x, width));
            }
        }
        if let Some((true, x, width)) = widest {
            name(
                painter,
                &region.name,
                [x, y, width - 1.0, height - 1.0],
                INK,
            );
        }
    }
    public_inputs(painter, circuit, columns, axis);
}

/// Runs of neighbouring columns of a region: whether they are advice, left, width.
fn spread(region: &Region, columns: &Columns) -> Vec<(bool, f64, f64)> {
    let mut runs: Vec<(bool, f64, f64)> = Vec::new();
    for slot in &columns.slots {
        let Some(column) = slot.column() else {
            continue;
        };
        if !region.columns.contains(&column) {
            continue;
        }
        let advice = slot.kind == Kind::Advice;
        match runs.last_mut() {
            Some((kind, x, width)) if *kind == advice && (*x + *width - slot.x).abs() < 0.5 => {
                *width += slot.width;
            }
            _ => runs.push((advice, slot.x, slot.width)),
        }
    }
    runs
}

fn title(region: &Region) -> String {
    let last = region
        .first_row
        .saturating_add(region.rows)
        .saturating_sub(1);
    match region.rows {
        1 => format!("{}: row {}", region.name, region.first_row),
        _ => format!("{}: rows {} to {last}", region.name, region.first_row),
    }
}

fn public_inputs(painter: &mut Painter, circuit: &Circuit, columns: &Columns, axis: &Axis) {
    for slot in columns
        .slots
        .iter()
        .filter(|slot| slot.kind == Kind::Instance)
    {
        let mut row = 0_u32;
        for input in circuit
            .public_inputs
            .iter()
            .filter(|input| input.column == slot.index)
        {
            let (y, end) = (axis.y(row), axis.y(row.saturating_add(input.rows)));
            row = row.saturating_add(input.rows);
            if end - y < BOX_HEIGHT_MIN {
                continue;
            }
            let area = [slot.x, y, slot.width - 1.0, end - y - 1.0];
            painter.outline(
                "box",
                area,
                PUBLIC,
                Some(format!("public input {}", input.name)),
            );
            name(painter, &input.name, area, WHITE);
        }
    }
}

/// Writes a name into a box if most of it fits: its last part rather than nothing.
fn name(painter: &mut Painter, full: &str, [x, y, width, height]: [f64; 4], colour: Colour) {
    let last = full.rsplit('/').next().unwrap_or(full);
    let fits = |room: f64| {
        let whole = Size::Small.fit(full, room).filter(|text| text == full);
        let part = || Size::Small.fit(last, room);
        let shown =
            |text: &String| text.chars().count() * 10 >= last.chars().count() * SHOWN_TENTHS;
        whole.or_else(part).filter(shown)
    };
    if height >= Size::Small.line() - 1.0
        && let Some(text) = fits(width - 6.0)
    {
        // In the middle of a low box, in the upper corner of a high one.
        let middle = y + (height / 2.0).min(Size::Small.line() / 2.0 + 2.0);
        painter.small("name", (x + 3.0, middle), Align::Start, colour, &text);
    } else if width >= Size::Small.line()
        && let Some(text) = fits(height - 6.0)
    {
        painter.vertical(
            "name",
            (x + width / 2.0, y + 3.0),
            Align::End,
            colour,
            &text,
        );
    }
}

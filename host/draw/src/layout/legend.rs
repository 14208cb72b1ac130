//! What the colours mean; only those that occur.

use aureole_ir::Circuit;

use super::axis::Axis;
use super::{
    BLIND, COPIED, FILL, FIXED, GREY, LEFT, LIMIT, PUBLIC, Painter, SELECTOR, TABLE, TABLE_FILL,
    UNUSED,
};
use crate::picture::{Align, Colour, Shape, Size};

/// Least width before the legend goes on in another line.
const WIDTH_MIN: f64 = 620.0;

pub(super) fn paint(painter: &mut Painter, circuit: &Circuit, axis: &Axis, right: f64) {
    let system = &circuit.constraint_system;
    let table = !system.lookups.is_empty();
    let fills = !circuit.layout.fixed_fills.is_empty();
    let entries: [(bool, Colour, &str); 9] = [
        (!circuit.public_inputs.is_empty(), PUBLIC, "public input"),
        (!circuit.layout.fixed_cells.is_empty(), FIXED, "fixed cell"),
        (fills && !table, FILL, "fixed fill"),
        (table, TABLE, "table row"),
        (table && fills, TABLE_FILL, "table's fill"),
        (!system.selectors.is_empty(), SELECTOR, "selector on"),
        (axis.used < axis.usable, UNUSED, "unused"),
        (true, BLIND, "blinds the proof"),
        (
            !system.permutation.is_empty(),
            COPIED,
            "bar under a name: may be copied",
        ),
    ];
    let limit = right.max(LEFT + WIDTH_MIN);
    let (mut x, mut y) = (LEFT, axis.bottom + 34.0);
    let mut place = |width: f64| {
        if x + width > limit && x > LEFT {
            (x, y) = (LEFT, y + 17.0);
        }
        let at = (x, y);
        x += width + 18.0;
        at
    };
    for (_, colour, text) in entries.into_iter().filter(|(there, ..)| *there) {
        let (x, y) = place(14.0 + Size::Small.width(text));
        let height = if colour == COPIED && text.starts_with("bar") {
            2.0
        } else {
            9.0
        };
        painter.fill("key", [x, y - height / 2.0, 9.0, height], colour, None);
        if colour == UNUSED {
            painter.outline("key", [x, y - 4.5, 9.0, 9.0], GREY, None);
        }
        painter.small("legend", (x + 14.0, y), Align::Start, GREY, text);
    }
    let text = "last usable row";
    let (x, y) = place(24.0 + Size::Small.width(text));
    let (from, to) = ((x, y), (x + 18.0, y));
    painter.push(Shape::Line {
        class: "key",
        from,
        to,
        colour: LIMIT,
        dashed: true,
    });
    painter.small("legend", (x + 24.0, y), Align::Start, GREY, text);
    let mut note = String::from("percentages: usable rows of the column in a region, or set");
    if !axis.is_to_scale() {
        note.push_str("; bar at the left: all rows to scale");
    }
    painter.small("legend", (LEFT, y + 17.0), Align::Start, GREY, &note);
}

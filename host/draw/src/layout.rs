//! The picture of a circuit: columns side by side, rows downward, regions as coloured boxes.
//!
//! ```text
//!   title, figures, public inputs
//!        instance  advice        fixed   selectors
//!    0   ┌──┐┌──┬──┬──┐        ┌──┐    ┌──┐
//!        │  ││ region │        │  │    │  │ ────── names of regions, each by its largest run
//!  used  ├ ─ ─ ─ ─ ─ ─ unused, not to scale where it is much ─ ─ ┤
//! usable ╞══ rows that blind the proof
//!        how full each column is; legend
//! ```
//!
//! Where a row has less than a point of height, each point shows what most of its rows hold.

mod axis;
mod boxes;
mod columns;
mod legend;
mod panel;

use aureole_ir::{Annotations, CheckedCircuit};

use crate::names::class_name;
use crate::picture::{Align, Colour, Picture, Shape, Size};
use axis::Axis;
use columns::{Columns, Holds};

const LEFT: f64 = 64.0;
const TOP: f64 = 112.0;
const MARGIN: f64 = 16.0;

const INK: Colour = Colour(0x1f, 0x29, 0x37);
const GREY: Colour = Colour(0x6b, 0x72, 0x80);
const RULE: Colour = Colour(0xd1, 0xd5, 0xdb);
const GRID: Colour = Colour(0xff, 0xff, 0xff);
const EMPTY: Colour = Colour(0xf3, 0xf4, 0xf6);
const UNUSED: Colour = Colour(0xfa, 0xfa, 0xfa);
const LIMIT: Colour = Colour(0xc0, 0x26, 0x26);
const BLIND: Colour = Colour(0xf3, 0xc6, 0xc6);
const FIXED: Colour = Colour(0x0f, 0x76, 0x6e);
const FILL: Colour = Colour(0xb7, 0xdd, 0xd8);
const TABLE: Colour = Colour(0x8b, 0x6f, 0xc9);
const TABLE_FILL: Colour = Colour(0xdd, 0xd3, 0xf0);
const SELECTOR: Colour = Colour(0xe0, 0x7b, 0x1f);
const PUBLIC: Colour = Colour(0x2f, 0x6f, 0xd0);
const COPIED: Colour = Colour(0x2f, 0x6f, 0xd0);

/// Draws a circuit. Without annotations there are no regions, the rest is the same.
#[must_use]
pub fn layout(circuit: &CheckedCircuit, annotations: &Annotations, title: &str) -> Picture {
    let ends = annotations
        .regions
        .iter()
        .map(|region| region.first_row.saturating_add(region.rows));
    let used = ends.max().unwrap_or(0).max(circuit.shape().rows_used);
    let columns = Columns::new(circuit.circuit(), LEFT);
    let axis = Axis::new(TOP, used, circuit.shape());
    let classes = Classes::new(annotations);
    let mut painter = Painter::default();

    painter.heading(circuit, used, title);
    columns.paint_heads(&mut painter, TOP);
    let holds = Holds::new(circuit.circuit(), annotations, &classes, &axis);
    columns.paint_bodies(&mut painter, &axis, &holds, &classes);
    axis.paint_rows(&mut painter, LEFT, columns.right());
    boxes::paint(
        &mut painter,
        circuit.circuit(),
        annotations,
        &columns,
        &axis,
        &classes,
    );
    axis.paint(&mut painter, LEFT, columns.right());
    columns.paint_feet(&mut painter, &axis, &holds);
    panel::paint(&mut painter, annotations, &classes, &axis, columns.right());
    legend::paint(&mut painter, circuit.circuit(), &axis, columns.right());
    painter.finish(title)
}

/// Regions of one name, numbers aside, share a colour.
struct Classes {
    /// Name and colours: fill, its other shade, border.
    classes: Vec<(String, [Colour; 3])>,
    /// The class of each region.
    of_region: Vec<usize>,
}

/// Collects shapes and how far they reach.
#[derive(Default)]
struct Painter {
    shapes: Vec<Shape>,
    right: f64,
    bottom: f64,
}

// === impl Classes ===

impl Classes {
    fn new(annotations: &Annotations) -> Self {
        let mut classes: Vec<(String, [Colour; 3])> = Vec::new();
        let mut known = std::collections::BTreeMap::new();
        let mut of_region = Vec::with_capacity(annotations.regions.len());
        for region in &annotations.regions {
            let name = class_name(&region.name);
            let index = *known.entry(name.clone()).or_insert_with(|| {
                // Steps of the golden angle: neighbours differ, and no two classes are equal.
                let hue = (0.58 + classes.len() as f64 * 0.618_034).fract();
                let shade = |lightness| Colour::hsl(hue, 0.55, lightness);
                classes.push((name, [shade(0.84), shade(0.77), shade(0.42)]));
                classes.len() - 1
            });
            of_region.push(index);
        }
        Self { classes, of_region }
    }

    fn colours(&self, class: usize) -> [Colour; 3] {
        self.classes
            .get(class)
            .map_or([EMPTY, EMPTY, GREY], |(_, colours)| *colours)
    }

    fn name(&self, class: usize) -> &str {
        self.classes.get(class).map_or("", |(name, _)| name)
    }
}

// === impl Painter ===

impl Painter {
    fn push(&mut self, shape: Shape) {
        let (x, y) = match &shape {
            Shape::Rect {
                x,
                y,
                width,
                height,
                ..
            } => (x + width, y + height),
            Shape::Line { from, to, .. } => (from.0.max(to.0), from.1.max(to.1)),
            Shape::Text { .. } => shape
                .text_box()
                .map_or((0.0, 0.0), |(x, y, width, height)| (x + width, y + height)),
        };
        self.right = self.right.max(x);
        self.bottom = self.bottom.max(y);
        self.shapes.push(shape);
    }

    fn fill(&mut self, class: &'static str, area: [f64; 4], fill: Colour, title: Option<String>) {
        let [x, y, width, height] = area;
        let fill = Some(fill);
        self.push(Shape::Rect {
            class,
            x,
            y,
            width,
            height,
            fill,
            stroke: None,
            title,
        });
    }

    fn outline(
        &mut self,
        class: &'static str,
        area: [f64; 4],
        stroke: Colour,
        title: Option<String>,
    ) {
        let [x, y, width, height] = area;
        let stroke = Some(stroke);
        self.push(Shape::Rect {
            class,
            x,
            y,
            width,
            height,
            fill: None,
            stroke,
            title,
        });
    }

    fn line(&mut self, class: &'static str, from: (f64, f64), to: (f64, f64), colour: Colour) {
        self.push(Shape::Line {
            class,
            from,
            to,
            colour,
            dashed: false,
        });
    }

    fn small(
        &mut self,
        class: &'static str,
        at: (f64, f64),
        align: Align,
        colour: Colour,
        text: &str,
    ) {
        self.push(Shape::Text {
            class,
            x: at.0,
            y: at.1,
            size: Size::Small,
            align,
            vertical: false,
            bold: false,
            colour,
            text: text.to_owned(),
        });
    }

    fn vertical(
        &mut self,
        class: &'static str,
        at: (f64, f64),
        align: Align,
        colour: Colour,
        text: &str,
    ) {
        self.push(Shape::Text {
            class,
            x: at.0,
            y: at.1,
            size: Size::Small,
            align,
            vertical: true,
            bold: false,
            colour,
            text: text.to_owned(),
        });
    }

    fn heading(&mut self, circuit: &CheckedCircuit, used: u32, title: &str) {
        let shape = circuit.shape();
        self.push(Shape::Text {
            class: "title",
            x: MARGIN,
            y: 20.0,
            size: Size::Normal,
            align: Align::Start,
            vertical: false,
            bold: true,
            colour: INK,
            text: title.to_owned(),
        });
        let rows = format!(
            "k = {}: {} rows, {} usable, {used} used ({})",
            shape.k,
            shape.rows,
            shape.rows_usable,
            percent(used.into(), shape.rows_usable.into())
        );
        let counts = format!(
            "degree {}, {}, {}, {}",
            shape.degree,
            count(shape.gates, "gate"),
            count(shape.lookups, "lookup"),
            if shape.copies == 1 {
                "1 copy".to_owned()
            } else {
                format!("{} copies", shape.copies)
            }
        );
        self.small(
            "fact",
            (MARGIN, 40.0),
            Align::Start,
            INK,
            &format!("{rows};  {counts}"),
        );
        let public = circuit.circuit().public_inputs.iter().map(|input| {
            let rows = if input.rows == 1 {
                String::new()
            } else {
                format!(" x{}", input.rows)
            };
            format!("{} (i{}{rows})", input.name, input.column)
        });
        let public: Vec<String> = public.collect();
        let text = if public.is_empty() {
            "no public inputs".to_owned()
        } else {
            format!("public inputs: {}", public.join(", "))
        };
        let text = Size::Small.fit(&text, 900.0).unwrap_or_default();
        self.small("fact", (MARGIN, 54.0), Align::Start, GREY, &text);
    }

    fn finish(self, title: &str) -> Picture {
        Picture {
            width: (self.right + MARGIN).ceil(),
            height: (self.bottom + MARGIN).ceil(),
            title: title.to_owned(),
            shapes: self.shapes,
        }
    }
}

fn count(number: u32, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A share with one decimal where it would say 0 or 100 and is neither.
fn percent(part: u64, whole: u64) -> String {
    let share = part as f64 * 100.0 / (whole as f64).max(1.0);
    if part > 0 && share < 0.05 {
        "<0.1%".to_owned()
    } else if (0.05..1.0).contains(&share) || (99.0..99.95).contains(&share) {
        format!("{share:.1}%")
    } else {
        format!("{share:.0}%")
    }
}

//! The columns: where they stand, their names, and what their rows hold.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aureole_ir::{Annotations, Circuit, Column, ColumnKind, Selector};

use super::axis::Axis;
use super::{
    COPIED, Classes, EMPTY, FILL, FIXED, GREY, INK, PUBLIC, Painter, SELECTOR, TABLE, TABLE_FILL,
    UNUSED, percent,
};
use crate::limits::{COLUMN_WIDTH_MAX, COLUMN_WIDTH_MIN, COLUMNS_WIDTH};
use crate::names::{column_name, selector_name};
use crate::picture::{Align, Colour, Size};

/// Between two groups.
const GROUP_GAP: f64 = 14.0;
/// Height of a region above which its neighbours get another shade.
const SHADE_HEIGHT_MIN: f64 = 3.0;

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Instance,
    Advice,
    Fixed,
    Table,
    Selector,
}

/// A column in the picture.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    pub(super) index: u32,
    pub(super) x: f64,
    pub(super) width: f64,
    name: String,
    /// A word for whoever points at it.
    note: &'static str,
    copied: bool,
}

pub(super) struct Columns {
    pub(super) slots: Vec<Slot>,
    /// Name, left and right of each group.
    groups: Vec<(String, f64, f64)>,
}

/// What each row of each column holds, as a code: zero is nothing.
pub(super) struct Holds {
    of_column: BTreeMap<(Kind, u32), Vec<Run>>,
    regions: BTreeMap<Column, Vec<Run>>,
}

/// Rows that hold the same.
#[derive(Clone, Debug)]
struct Run {
    rows: Range<u32>,
    code: usize,
}

/// Codes of fixed columns.
const CELL: usize = 1;
const FILLED: usize = 2;

// === impl Columns ===

impl Columns {
    pub(super) fn new(circuit: &Circuit, left: f64) -> Self {
        let system = &circuit.constraint_system;
        let tables: BTreeSet<u32> = system
            .lookups
            .iter()
            .flat_map(|lookup| lookup.table.iter().copied())
            .collect();
        let fixed = (0..system.fixed_columns).map(|index| {
            (
                if tables.contains(&index) {
                    Kind::Table
                } else {
                    Kind::Fixed
                },
                index,
            )
        });
        let mut order: Vec<(Kind, u32)> = (0..system.instance_columns)
            .map(|index| (Kind::Instance, index))
            .chain((0..system.advice_columns).map(|index| (Kind::Advice, index)))
            .chain(fixed)
            .chain(
                (0..)
                    .zip(&system.selectors)
                    .map(|(index, _)| (Kind::Selector, index)),
            )
            .collect();
        order.sort_unstable();
        let width = (COLUMNS_WIDTH / order.len().max(1) as f64)
            .clamp(COLUMN_WIDTH_MIN, COLUMN_WIDTH_MAX)
            .floor();
        let mut x = left;
        let mut columns = Self {
            slots: Vec::new(),
            groups: Vec::new(),
        };
        for group in order.chunk_by(|a, b| a.0 == b.0) {
            let Some((kind, _)) = group.first() else {
                continue;
            };
            let start = x;
            for (kind, index) in group {
                columns
                    .slots
                    .push(Slot::new(circuit, *kind, *index, x, width));
                x += width;
            }
            let name = format!("{} {}", group.len(), kind.name(group.len()));
            // A group is as wide as its name, so that names never meet.
            let end = x.max(start + Size::Small.width(&name));
            columns.groups.push((name, start, x));
            x = end + GROUP_GAP;
        }
        columns
    }

    pub(super) fn right(&self) -> f64 {
        self.slots
            .last()
            .map_or(super::LEFT, |slot| slot.x + slot.width)
    }

    /// Names of groups and columns.
    pub(super) fn paint_heads(&self, painter: &mut Painter, top: f64) {
        for (name, start, end) in &self.groups {
            painter.small("group", (*start, top - 38.0), Align::Start, INK, name);
            painter.line(
                "group",
                (*start, top - 30.0),
                (*end - 1.0, top - 30.0),
                GREY,
            );
        }
        let width = self.slots.first().map_or(0.0, |slot| slot.width);
        let longest = self
            .slots
            .iter()
            .map(|slot| Size::Small.width(&slot.name))
            .fold(0.0, f64::max);
        let flat = width >= longest + 3.0;
        let each = if flat {
            1
        } else {
            (Size::Small.line() / width.max(1.0)).ceil() as u32
        };
        for slot in &self.slots {
            let middle = slot.x + slot.width / 2.0;
            if slot.copied {
                let y = top - 4.0;
                painter.fill(
                    "equality",
                    [slot.x + 1.0, y, slot.width - 2.0, 2.0],
                    COPIED,
                    None,
                );
            }
            let colour = if slot.kind == Kind::Table { TABLE } else { INK };
            // Where names do not fit, every so many stands upright, counted within its group.
            if flat {
                painter.small(
                    "column",
                    (middle, top - 14.0),
                    Align::Middle,
                    colour,
                    &slot.name,
                );
            } else if slot.index % each == 0 && Size::Small.width(&slot.name) <= 22.0 {
                painter.vertical(
                    "column",
                    (middle, top - 6.0),
                    Align::Start,
                    colour,
                    &slot.name,
                );
            }
        }
    }

    /// What the rows hold.
    pub(super) fn paint_bodies(
        &self,
        painter: &mut Painter,
        axis: &Axis,
        holds: &Holds,
        classes: &Classes,
    ) {
        for slot in &self.slots {
            let Slot { x, width, .. } = *slot;
            let used = axis.y(axis.used) - axis.top;
            let spare = axis.y(axis.usable) - axis.top - used;
            let inner = if width >= 5.0 { width - 1.0 } else { width };
            let title = format!("{} {}", slot.name, slot.note);
            painter.fill("body", [x, axis.top, inner, used], EMPTY, Some(title));
            painter.fill("spare", [x, axis.top + used, inner, spare], UNUSED, None);
            for span in holds.in_regions(slot, axis) {
                let (class, shade) = (span.code / 2, span.code % 2);
                let [light, dark, _] = classes.colours(class);
                let title = Some(classes.name(class).to_owned());
                let colour = span.shade(if shade == 0 { light } else { dark });
                painter.fill("region", [x, span.y, inner, span.height], colour, title);
            }
            let inset = if width >= 8.0 && slot.kind != Kind::Instance {
                width * 0.2
            } else {
                0.0
            };
            for span in holds.cells(slot, axis) {
                let area = [x + inset, span.y, inner - 2.0 * inset, span.height];
                let colour = span.shade(slot.kind.colour(span.code));
                painter.fill(slot.kind.mark(span.code), area, colour, None);
            }
        }
    }

    /// How full each column is.
    pub(super) fn paint_feet(&self, painter: &mut Painter, axis: &Axis, holds: &Holds) {
        for slot in &self.slots {
            let share = percent(holds.rows(slot), axis.usable.into());
            if Size::Small.width(&share) + 3.0 <= slot.width {
                let at = (slot.x + slot.width / 2.0, axis.bottom + 11.0);
                painter.small("share", at, Align::Middle, GREY, &share);
            }
        }
    }
}

// === impl Slot ===

impl Slot {
    fn new(circuit: &Circuit, kind: Kind, index: u32, x: f64, width: f64) -> Self {
        let system = &circuit.constraint_system;
        let column = kind.column(index);
        let note = match kind {
            Kind::Instance => "instance: public inputs",
            Kind::Advice => "advice: the witness",
            Kind::Table => "fixed: a lookup's table",
            Kind::Fixed if system.constants.contains(&index) => "fixed: constants",
            Kind::Fixed => "fixed",
            Kind::Selector => match system.selectors.get(index as usize) {
                Some(Selector::Complex) => "selector, complex",
                _ => "selector, simple",
            },
        };
        Self {
            kind,
            index,
            x,
            width,
            name: column.map_or_else(|| selector_name(index), column_name),
            note,
            copied: column.is_some_and(|column| system.permutation.contains(&column)),
        }
    }

    /// The column; none for a selector.
    pub(super) fn column(&self) -> Option<Column> {
        self.kind.column(self.index)
    }
}

// === impl Kind ===

impl Kind {
    fn column(self, index: u32) -> Option<Column> {
        let kind = match self {
            Self::Instance => ColumnKind::Instance,
            Self::Advice => ColumnKind::Advice,
            Self::Fixed | Self::Table => ColumnKind::Fixed,
            Self::Selector => return None,
        };
        Some(Column { kind, index })
    }

    const fn name(self, count: usize) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Advice => "advice",
            Self::Fixed => "fixed",
            Self::Table => "table",
            Self::Selector if count == 1 => "selector",
            Self::Selector => "selectors",
        }
    }

    const fn mark(self, code: usize) -> &'static str {
        match (self, code) {
            (Self::Selector, _) => "on",
            (Self::Instance, _) => "public",
            (_, FILLED) => "fill",
            _ => "fixed",
        }
    }

    const fn colour(self, code: usize) -> Colour {
        match (self, code) {
            (Self::Selector, _) => SELECTOR,
            (Self::Instance, _) => PUBLIC,
            (Self::Table, FILLED) => TABLE_FILL,
            (Self::Table, _) => TABLE,
            (_, FILLED) => FILL,
            _ => FIXED,
        }
    }
}

// === impl Holds ===

impl Holds {
    pub(super) fn new(
        circuit: &Circuit,
        annotations: &Annotations,
        classes: &Classes,
        axis: &Axis,
    ) -> Self {
        let mut of_column: BTreeMap<(Kind, u32), Vec<Run>> = BTreeMap::new();
        let mut add = |kind, index, rows: Range<u32>, code| {
            let runs = of_column.entry((kind, index)).or_default();
            match runs.last_mut() {
                Some(run) if run.code == code && run.rows.end == rows.start => {
                    run.rows.end = rows.end;
                }
                _ => runs.push(Run { rows, code }),
            }
        };
        // Either kind of fixed column is looked up by its index.
        for cell in &circuit.layout.fixed_cells {
            add(
                Kind::Fixed,
                cell.column,
                cell.row..cell.row.saturating_add(1),
                CELL,
            );
        }
        for fill in &circuit.layout.fixed_fills {
            add(Kind::Fixed, fill.column, fill.from_row..axis.usable, FILLED);
        }
        for on in &circuit.layout.selector_rows {
            add(
                Kind::Selector,
                on.selector,
                on.row..on.row.saturating_add(1),
                CELL,
            );
        }
        for (column, length) in (0..).zip(circuit.instance_lengths()) {
            add(Kind::Instance, column, 0..length, CELL);
        }
        let mut regions: BTreeMap<Column, Vec<Run>> = BTreeMap::new();
        let shades = axis.row >= SHADE_HEIGHT_MIN;
        for (index, (region, class)) in annotations
            .regions
            .iter()
            .zip(&classes.of_region)
            .enumerate()
        {
            let shade = usize::from(shades && index % 2 == 1);
            let rows = region.first_row..region.first_row.saturating_add(region.rows);
            for column in &region.columns {
                let run = Run {
                    rows: rows.clone(),
                    code: class * 2 + shade,
                };
                regions.entry(*column).or_default().push(run);
            }
        }
        Self { of_column, regions }
    }

    fn runs(&self, slot: &Slot) -> &[Run] {
        let kind = if slot.kind == Kind::Table {
            Kind::Fixed
        } else {
            slot.kind
        };
        self.of_column
            .get(&(kind, slot.index))
            .map_or(&[], Vec::as_slice)
    }

    /// Rows of a column that hold something.
    fn rows(&self, slot: &Slot) -> u64 {
        let regions = slot.column().and_then(|column| self.regions.get(&column));
        let runs = match (slot.kind, regions) {
            (Kind::Advice, Some(regions)) => regions,
            _ => self.runs(slot),
        };
        let mut ranges: Vec<&Range<u32>> = runs.iter().map(|run| &run.rows).collect();
        ranges.sort_by_key(|range| range.start);
        let (mut rows, mut end) = (0_u64, 0_u32);
        for range in ranges {
            rows += u64::from(range.end.saturating_sub(range.start.max(end)));
            end = end.max(range.end);
        }
        rows
    }

    fn in_regions(&self, slot: &Slot, axis: &Axis) -> Vec<Span> {
        let runs = slot.column().and_then(|column| self.regions.get(&column));
        spans(runs.map_or(&[], Vec::as_slice), axis)
    }

    fn cells(&self, slot: &Slot, axis: &Axis) -> Vec<Span> {
        spans(self.runs(slot), axis)
    }
}

/// A stretch of a column that holds one thing.
#[derive(Clone, Copy)]
struct Span {
    y: f64,
    height: f64,
    code: usize,
    /// How many of its rows do, in quarters.
    quarters: u8,
}

// === impl Span ===

impl Span {
    /// A colour, paler where not every row holds it.
    fn shade(self, colour: Colour) -> Colour {
        EMPTY.towards(colour, 0.25 + f64::from(self.quarters) * 0.1875)
    }
}

/// Runs as heights: as they are where rows are high enough, else what most rows of each point
/// hold.
fn spans(runs: &[Run], axis: &Axis) -> Vec<Span> {
    if axis.row >= 1.0 {
        let spans = runs.iter().map(|run| {
            let (y, end) = (axis.y(run.rows.start), axis.y(run.rows.end));
            Span {
                y,
                height: (end - y).max(1.0),
                code: run.code,
                quarters: 4,
            }
        });
        return spans.collect();
    }
    let points = (axis.y(axis.usable) - axis.top).ceil() as usize;
    // Heights by code for each point; runs are few compared to rows, and each touches few points.
    let mut weights: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); points + 1];
    for run in runs {
        let (from, to) = (
            axis.y(run.rows.start) - axis.top,
            axis.y(run.rows.end) - axis.top,
        );
        for point in from.floor() as usize..=to.ceil() as usize {
            let share = (to.min(point as f64 + 1.0) - from.max(point as f64)).max(0.0);
            if let Some(weights) = weights.get_mut(point).filter(|_| share > 0.0) {
                *weights.entry(run.code).or_insert(0.0) += share;
            }
        }
    }
    let mut spans: Vec<Span> = Vec::new();
    for (point, weights) in weights.iter().enumerate() {
        let Some((code, _)) = weights.iter().max_by(|a, b| a.1.total_cmp(b.1)) else {
            continue;
        };
        let covered: f64 = weights.values().sum();
        let quarters = (covered * 4.0).ceil().clamp(1.0, 4.0) as u8;
        let y = axis.top + point as f64;
        match spans.last_mut() {
            Some(last)
                if last.code == *code && last.quarters == quarters && last.y + last.height == y =>
            {
                last.height += 1.0;
            }
            _ => spans.push(Span {
                y,
                height: 1.0,
                code: *code,
                quarters,
            }),
        }
    }
    spans
}

//! Rows to heights: used rows to scale, unused ones shortened where there are many.

use aureole_ir::Shape;

use super::{BLIND, GREY, INK, LIMIT, Painter, RULE, count, percent};
use crate::limits::{ROW_HEIGHT_MAX, ROWS_HEIGHT};
use crate::picture::{Align, Shape as Mark, Size};

/// Height of unused rows that are not to scale.
const BREAK_HEIGHT: f64 = 90.0;
/// Least height of the rows that blind.
const BLIND_HEIGHT_MIN: f64 = 9.0;
/// Least height of a row with a line below it.
const ROW_LINES_MIN: f64 = 9.0;
/// Distance between two labels.
const LABEL_GAP: f64 = 13.0;

pub(super) struct Axis {
    pub(super) top: f64,
    pub(super) used: u32,
    pub(super) usable: u32,
    pub(super) rows: u32,
    /// Height of a used row.
    pub(super) row: f64,
    /// Where unused rows end.
    usable_y: f64,
    /// Whether unused rows are as high as used ones.
    to_scale: bool,
    pub(super) bottom: f64,
}

// === impl Axis ===

impl Axis {
    pub(super) fn new(top: f64, used: u32, shape: &Shape) -> Self {
        let (usable, rows) = (shape.rows_usable, shape.rows);
        let used = used.min(usable);
        let spare = f64::from(usable - used);
        let scale = ROWS_HEIGHT / f64::from(rows).max(1.0);
        let to_scale = scale >= ROW_HEIGHT_MAX || spare <= f64::from(usable) * 0.3;
        let (row, spare_height) = if to_scale {
            let row = scale.min(ROW_HEIGHT_MAX);
            (row, spare * row)
        } else {
            let room = ROWS_HEIGHT - BREAK_HEIGHT;
            (
                (room / f64::from(used).max(1.0)).min(ROW_HEIGHT_MAX),
                BREAK_HEIGHT,
            )
        };
        let usable_y = top + f64::from(used) * row + spare_height;
        let blind = (f64::from(rows - usable) * row).max(BLIND_HEIGHT_MIN);
        let blind = if to_scale {
            blind
        } else {
            blind.min(BREAK_HEIGHT / 2.0)
        };
        Self {
            top,
            used,
            usable,
            rows,
            row,
            usable_y,
            to_scale,
            bottom: usable_y + blind,
        }
    }

    /// The top of a row.
    pub(super) fn y(&self, row: u32) -> f64 {
        let used_y = self.top + f64::from(self.used) * self.row;
        if row <= self.used {
            self.top + f64::from(row) * self.row
        } else if row <= self.usable {
            let part = f64::from(row - self.used) / f64::from(self.usable - self.used).max(1.0);
            used_y + (self.usable_y - used_y) * part
        } else {
            let part = f64::from(row - self.usable) / f64::from(self.rows - self.usable).max(1.0);
            self.usable_y + (self.bottom - self.usable_y) * part
        }
    }

    /// Scales, limits and what is unused, over the columns.
    pub(super) fn paint(&self, painter: &mut Painter, left: f64, right: f64) {
        let used_y = self.y(self.used);
        let width = right - left;
        painter.fill(
            "blinding",
            [left, self.usable_y, width, self.bottom - self.usable_y],
            BLIND,
            Some(format!(
                "{} rows that blind the proof",
                self.rows - self.usable
            )),
        );
        painter.push(Mark::Line {
            class: "usable",
            from: (left - 6.0, self.usable_y),
            to: (right + 6.0, self.usable_y),
            colour: LIMIT,
            dashed: true,
        });
        if self.used < self.usable {
            painter.line("used", (left - 6.0, used_y), (right, used_y), GREY);
        }
        self.paint_unused(painter, left, right);
        self.paint_scale(painter, left);
        if !self.to_scale {
            self.paint_share(painter, left);
        }
    }

    /// Lines between rows, where a row is high enough to be told from the next.
    pub(super) fn paint_rows(&self, painter: &mut Painter, left: f64, right: f64) {
        if self.row >= ROW_LINES_MIN {
            for row in 1..self.used {
                let y = self.y(row) - 0.5;
                painter.line("grid", (left, y), (right, y), super::GRID);
            }
        }
    }

    /// Whether unused rows are as high as used ones.
    pub(super) const fn is_to_scale(&self) -> bool {
        self.to_scale
    }

    fn paint_unused(&self, painter: &mut Painter, left: f64, right: f64) {
        let (from, to) = (self.y(self.used), self.usable_y);
        let spare = self.usable - self.used;
        let share = percent(spare.into(), self.usable.into());
        let note = if self.to_scale { "" } else { ", not to scale" };
        let full = format!("{} unused ({share}){note}", count(spare, "row"));
        let Some(text) = [full, format!("{spare} unused")]
            .into_iter()
            .find(|text| Size::Small.width(text) + 12.0 <= right - left)
        else {
            return;
        };
        if to - from < Size::Small.line() + 6.0 || spare == 0 {
            return;
        }
        let (x, y) = (f64::midpoint(left, right), f64::midpoint(from, to));
        let width = Size::Small.width(&text) + 10.0;
        painter.fill(
            "backing",
            [x - width / 2.0, y - 8.0, width, 16.0],
            super::UNUSED,
            None,
        );
        painter.small("unused", (x, y), Align::Middle, GREY, &text);
    }

    /// Row numbers: the limits first, then round numbers where there is room.
    fn paint_scale(&self, painter: &mut Painter, left: f64) {
        let mut taken: Vec<f64> = Vec::new();
        let limits = [(self.usable, LIMIT), (0, INK), (self.used, INK)];
        let mut step = 1_u32;
        for next in [2, 5, 10].iter().cycle().scan(1_u32, |ten, next| {
            let value = ten.saturating_mul(*next);
            if *next == 10 {
                *ten = value;
            }
            Some(value)
        }) {
            if f64::from(step) * self.row >= LABEL_GAP * 2.0 || step > self.used.max(1) {
                break;
            }
            step = next;
        }
        let round = (1..)
            .map(|index| step.saturating_mul(index))
            .take_while(|row| *row < self.used);
        for (row, colour) in limits.into_iter().chain(round.map(|row| (row, GREY))) {
            let y = self.y(row);
            if taken.iter().any(|other| (other - y).abs() < LABEL_GAP) {
                continue;
            }
            taken.push(y);
            painter.line("tick", (left - 5.0, y), (left, y), RULE);
            painter.small(
                "row",
                (left - 16.0, y),
                Align::End,
                colour,
                &row.to_string(),
            );
        }
    }

    /// A narrow bar of all rows to scale, beside the shortened ones.
    fn paint_share(&self, painter: &mut Painter, left: f64) {
        let (x, width) = (left - 13.0, 5.0);
        let height = self.bottom - self.top;
        let at = |row: u32| self.top + height * f64::from(row) / f64::from(self.rows).max(1.0);
        let title = format!("all {} rows to scale: used, unused, blinding", self.rows);
        painter.fill(
            "share",
            [x, self.top, width, height],
            RULE,
            Some(title.clone()),
        );
        painter.fill(
            "share",
            [x, self.top, width, at(self.used) - self.top],
            GREY,
            Some(title),
        );
        let blind = at(self.usable);
        painter.fill(
            "share",
            [x, blind, width, (self.bottom - blind).max(1.0)],
            LIMIT,
            None,
        );
    }
}

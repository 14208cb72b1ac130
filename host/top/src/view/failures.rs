//! What failed in the last minutes, by stable code.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Row, Widget as _};

use super::{Tone, clock, pane, span, table, window};
use crate::{App, Frame, Pane};

/// Draws the pane.
pub(super) fn draw(app: &App, frame: &Frame, area: Rect, buffer: &mut Buffer) {
    let failures = &frame.recent.failures;
    let title = format!("Failures, {}", window(frame));
    let inside = pane(app, Pane::Failures, &title, area, buffer);
    if failures.is_empty() {
        Line::from(span(app, Tone::Quiet, "none")).render(inside, buffer);
        return;
    }
    let rows = failures.iter().map(|kind| {
        Row::new([
            Cell::from(span(app, Tone::Bad, kind.code.clone())),
            Cell::from(kind.count.to_string()),
            Cell::from(clock(kind.at)),
        ])
    });
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(6),
        Constraint::Length(8),
    ];
    let head = ["code", "tasks", "newest"];
    let into = (inside, buffer);
    table(app, Pane::Failures, &head, rows.collect(), &widths, into);
}

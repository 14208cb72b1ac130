//! What waits, by tenant.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::widgets::Row;

use super::{pane, table};
use crate::{App, Frame, Pane};

/// Draws the pane.
pub(super) fn draw(app: &App, frame: &Frame, area: Rect, buffer: &mut Buffer) {
    let tasks = frame.overview.tasks;
    let title = format!(
        "Queue: {} queued, {} waiting, {} running",
        tasks.queued, tasks.waiting, tasks.running
    );
    let inside = pane(app, Pane::Queue, &title, area, buffer);
    let rows = frame.overview.tenants.iter().map(|load| {
        let waits = load.live.saturating_sub(load.running);
        Row::new([
            load.tenant.clone(),
            waits.to_string(),
            load.running.to_string(),
            load.proofs.to_string(),
            load.failed.to_string(),
        ])
    });
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(6),
        Constraint::Length(4),
        Constraint::Length(8),
        Constraint::Length(6),
    ];
    let head = ["tenant", "waits", "runs", "proofs", "failed"];
    let into = (inside, buffer);
    table(app, Pane::Queue, &head, rows.collect(), &widths, into);
}

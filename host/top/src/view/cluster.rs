//! Who leads, and how far the others are behind.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::widgets::{Cell, Row};

use super::{Tone, pane, plural, span, table};
use crate::{App, Frame, Pane};

/// Draws the pane.
pub(super) fn draw(app: &App, frame: &Frame, area: Rect, buffer: &mut Buffer) {
    let cluster = &frame.overview.cluster;
    let count = plural(cluster.members.len() as u64, "coordinator", "coordinators");
    let applied = cluster.applied.map(|applied| format!(", entry {applied}"));
    let title = format!("{count}{}", applied.unwrap_or_default());
    let inside = pane(app, Pane::Cluster, &title, area, buffer);
    let rows = cluster.members.iter().map(|member| {
        let (part, tone) = match (member.leader, member.voter) {
            (true, _) => ("leader", Tone::Good),
            (false, true) => ("voter", Tone::Plain),
            (false, false) => ("learner", Tone::Quiet),
        };
        // Of a member that the leader has heard nothing of it says nothing.
        let lag = member
            .lag
            .map(|lag| span(app, Tone::Plain, lag.to_string()));
        Row::new([
            Cell::from(member.id.to_string()),
            Cell::from(span(app, tone, part)),
            Cell::from(lag.unwrap_or_else(|| span(app, Tone::Bad, "unknown"))),
        ])
    });
    let widths = [
        Constraint::Length(6),
        Constraint::Length(8),
        Constraint::Fill(1),
    ];
    let head = ["member", "part", "entries behind"];
    let into = (inside, buffer);
    table(app, Pane::Cluster, &head, rows.collect(), &widths, into);
}

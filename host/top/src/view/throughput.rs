//! How much ended in the last minutes, and how fast.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Row, Sparkline, Widget as _};

use super::{Tone, pane, span, span_of, style, table, window};
use crate::{App, Frame, Pane};

/// Columns of a minute's bar.
const BAR_WIDE: u16 = 2;

/// Draws the pane: bars on the left, stages on the right.
pub(super) fn draw(app: &App, frame: &Frame, area: Rect, buffer: &mut Buffer) {
    let recent = &frame.recent;
    let title = format!(
        "Throughput, {}: {} done, {} failed",
        window(frame),
        recent.done,
        recent.failed
    );
    let inside = pane(app, Pane::Throughput, &title, area, buffer);
    let minutes = u16::try_from(recent.minutes.len()).unwrap_or(u16::MAX);
    let [left, _, right] = Layout::horizontal([
        Constraint::Length(minutes.saturating_mul(BAR_WIDE)),
        Constraint::Length(2),
        Constraint::Fill(1),
    ])
    .areas(inside);
    bars(app, frame, left, buffer);
    stages(app, frame, right, buffer);
}

fn bars(app: &App, frame: &Frame, area: Rect, buffer: &mut Buffer) {
    let [chart, words] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
    let ended = frame.recent.minutes.iter();
    let ended = ended.map(|minute| minute.done + minute.failed);
    let most = ended.clone().max().unwrap_or(0);
    let values = ended.flat_map(|count| [count; BAR_WIDE as usize]);
    Sparkline::default()
        .data(values.collect::<Vec<u64>>())
        .max(most.max(1))
        .style(style(app, Tone::Strong))
        .render(chart, buffer);
    let most = format!("at most {most} a minute");
    Line::from(span(app, Tone::Quiet, most)).render(words, buffer);
}

fn stages(app: &App, frame: &Frame, area: Rect, buffer: &mut Buffer) {
    if frame.recent.stages.is_empty() {
        let none = span(app, Tone::Quiet, "no proof was made in that time");
        Line::from(none).render(area, buffer);
        return;
    }
    let rows = frame.recent.stages.iter().map(|times| {
        Row::new([
            times.stage.to_owned(),
            span_of(times.half_ms),
            span_of(times.most_ms),
        ])
    });
    let widths = [
        Constraint::Length(8),
        Constraint::Length(10),
        Constraint::Length(10),
    ];
    let head = ["proofs", "half under", "95% under"];
    let into = (area, buffer);
    table(app, Pane::Throughput, &head, rows.collect(), &widths, into);
}

//! Who works: state, leases, warm keys.

use aureole_client::rest::WorkerInfo;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::widgets::{Cell, Row};

use super::{Tone, pane, plural, span, table};
use crate::{App, Frame, Pane};

/// Draws the pane.
pub(super) fn draw(app: &App, frame: &Frame, area: Rect, buffer: &mut Buffer) {
    let workers = &frame.overview.workers;
    let joined = workers.iter().filter(|worker| worker.joined);
    let slots: u64 = joined
        .clone()
        .filter_map(|worker| worker.slots)
        .map(u64::from)
        .sum();
    let count = plural(joined.count() as u64, "worker", "workers");
    let title = format!("{count}, {}", plural(slots, "slot", "slots"));
    let inside = pane(app, Pane::Workers, &title, area, buffer);
    let rows = workers.iter().map(|worker| {
        let (word, tone) = state(worker);
        let number = |value: Option<u32>| value.map_or("-".to_owned(), |value| value.to_string());
        Row::new([
            Cell::from(worker.name.clone()),
            Cell::from(span(app, tone, word)),
            Cell::from(format!("{}/{}", worker.leases, number(worker.slots))),
            Cell::from(worker.warm.to_string()),
            Cell::from(number(worker.cores)),
        ])
    });
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(10),
        Constraint::Length(6),
        Constraint::Length(4),
        Constraint::Length(5),
    ];
    let head = ["worker", "state", "leases", "warm", "cores"];
    let into = (inside, buffer);
    table(app, Pane::Workers, &head, rows.collect(), &widths, into);
}

fn state(worker: &WorkerInfo) -> (&'static str, Tone) {
    match (worker.quarantined_at, worker.joined, worker.draining) {
        (Some(_), ..) => ("quarantine", Tone::Bad),
        (None, false, _) => ("away", Tone::Bad),
        (None, true, true) => ("draining", Tone::Quiet),
        (None, true, false) => ("joined", Tone::Good),
    }
}

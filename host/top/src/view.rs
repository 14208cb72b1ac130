//! Drawing: of the state and the size, and of nothing else.
//!
//! ```text
//! +------------------- node, ready, leader, time -------------------+
//! | queue by tenant               | workers                         |
//! |-------------------------------+---------------------------------|
//! | the last minutes: bars, stages                                  |
//! |-------------------------------+---------------------------------|
//! | failures                      | cluster                         |
//! +---------------------- keys, or what is wrong -------------------+
//! ```

mod cluster;
mod failures;
mod queue;
mod throughput;
mod workers;

use aureole_client::rest::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Row, Table, Widget as _};

use crate::{App, Frame, Pane};

/// How a thing stands, which a color says where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Quiet,
    Good,
    Bad,
    Strong,
}

/// Draws the whole screen.
pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let [head, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    header(app, head, buffer);
    footer(app, foot, buffer);
    let Some(frame) = app.frame() else {
        let waiting = match app.failure() {
            Some(_) => "nothing was seen yet",
            None => "asking ...",
        };
        Paragraph::new(waiting).render(body, buffer);
        return;
    };
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Fill(4),
        Constraint::Length((body.height / 2).min(9)),
        Constraint::Fill(3),
    ])
    .areas(body);
    let halves = |row| -> [Rect; 2] {
        Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).areas(row)
    };
    let [left, right] = halves(top);
    queue::draw(app, frame, left, buffer);
    workers::draw(app, frame, right, buffer);
    throughput::draw(app, frame, middle, buffer);
    let [left, right] = halves(bottom);
    failures::draw(app, frame, left, buffer);
    cluster::draw(app, frame, right, buffer);
}

fn header(app: &App, area: Rect, buffer: &mut Buffer) {
    let mut parts = vec![span(app, Tone::Strong, "aureole ")];
    if let Some(frame) = app.frame() {
        parts.push(Span::raw(frame.node.trim_end_matches('/').to_owned()));
        let broken = frame.checks.iter().filter(|check| !check.ok);
        let broken: Vec<&str> = broken.map(|check| check.name.as_str()).collect();
        parts.push(match frame.ready {
            true => span(app, Tone::Good, "  ready"),
            false => span(
                app,
                Tone::Bad,
                format!("  NOT ready: {}", broken.join(", ")),
            ),
        });
        let cluster = &frame.overview.cluster;
        let leader = cluster
            .leader
            .map_or("none".to_owned(), |id| id.to_string());
        let at = clock(frame.overview.at);
        parts.push(Span::raw(format!(
            "  leader {leader}  term {}  {at}",
            cluster.term
        )));
    }
    if app.is_paused() {
        parts.push(span(app, Tone::Strong, "  PAUSED"));
    }
    Line::from(parts).render(area, buffer);
}

fn footer(app: &App, area: Rect, buffer: &mut Buffer) {
    let line = match app.failure() {
        Some(why) => span(app, Tone::Bad, why.to_owned()),
        None => span(
            app,
            Tone::Quiet,
            "q quit  tab pane  up/down scroll  p pause",
        ),
    };
    Line::from(line).render(area, buffer);
}

/// A pane's frame; what is inside it comes back.
fn pane(app: &App, pane: Pane, title: &str, area: Rect, buffer: &mut Buffer) -> Rect {
    let tone = if app.pane() == pane {
        Tone::Strong
    } else {
        Tone::Plain
    };
    let mark = if app.pane() == pane { ">" } else { " " };
    let block = Block::bordered().title(span(app, tone, format!("{mark}{title} ")));
    let inner = block.inner(area);
    block.render(area, buffer);
    inner
}

/// A table from the first line that a pane shows.
fn table(
    app: &App,
    pane: Pane,
    head: &[&'static str],
    rows: Vec<Row<'static>>,
    widths: &[Constraint],
    (area, buffer): (Rect, &mut Buffer),
) {
    let head = Row::new(head.to_vec()).style(style(app, Tone::Quiet));
    let rows = rows.into_iter().skip(app.first_line(pane).into());
    Table::new(rows, widths.to_vec())
        .header(head)
        .render(area, buffer);
}

fn span(app: &App, tone: Tone, text: impl Into<String>) -> Span<'static> {
    Span::styled(text.into(), style(app, tone))
}

/// Without colors a thing that matters is still set apart.
fn style(app: &App, tone: Tone) -> Style {
    let (color, modifier) = match tone {
        Tone::Plain => return Style::new(),
        Tone::Quiet => (Color::Reset, Modifier::DIM),
        Tone::Good => (Color::Green, Modifier::empty()),
        Tone::Bad => (Color::Red, Modifier::BOLD),
        Tone::Strong => (Color::Cyan, Modifier::BOLD),
    };
    let style = Style::new().add_modifier(modifier);
    match app.color() {
        true => style.fg(color),
        false => style,
    }
}

/// The time of day of an instant, in UTC.
fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    let time = text.split_once('T').map_or("", |(_, time)| time);
    time.chars().take(8).collect()
}

/// Milliseconds in the largest unit that leaves three digits or so.
fn span_of(millis: f64) -> String {
    match millis {
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms if ms < 100_000.0 => format!("{:.1} s", ms / 1_000.0),
        ms => format!("{:.1} min", ms / 60_000.0),
    }
}

/// A count with its noun.
fn plural(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// The frame's minutes in words.
fn window(frame: &Frame) -> String {
    let minutes = frame.recent.minutes.len();
    match frame.recent.whole {
        true => format!("last {minutes} min"),
        false => format!("last {minutes} min, in part"),
    }
}

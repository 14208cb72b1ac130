//! A frame as plain text: the screen without its terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::{App, Frame, draw};

/// Draws one frame of a width and height in columns and lines, each line without the blanks at its
/// end.
pub fn plain(frame: Frame, width: u16, height: u16) -> String {
    let mut app = App::new(false);
    app.take(Ok(frame));
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(&app, area, &mut buffer);
    let lines = (0..height).map(|y| {
        let cells = (0..width).filter_map(|x| buffer.cell((x, y)));
        let line: String = cells.map(|cell| cell.symbol()).collect();
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

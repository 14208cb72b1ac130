//! The numbers of this room, each with its reason.

/// Characters of a formula, and of each of its parts. A Poseidon round has under a thousand; a
/// longer text is read by nobody, so a part of it becomes `(...)`.
pub(crate) const FORMULA_CHARS_MAX: usize = 2000;

/// Nodes of one expression that is written out: with the limit above, 40 MB of text at the worst.
pub(crate) const FORMULA_NODES_MAX: usize = 20_000;

/// Regions that are drawn as boxes of their own, with a name to hover over. More are smaller than
/// a pixel each, and the file would be larger than the circuit.
pub(crate) const BOXES_MAX: usize = 3000;

/// Height of the rows' area in points, for anything taller: a page on a screen.
pub(crate) const ROWS_HEIGHT: f64 = 1000.0;

/// Height of one row where there are few.
pub(crate) const ROW_HEIGHT_MAX: f64 = 26.0;

/// Width that all columns share while each has at least [`COLUMN_WIDTH_MIN`].
pub(crate) const COLUMNS_WIDTH: f64 = 1000.0;

/// Widest and narrowest column: room for a name, and still a line.
pub(crate) const COLUMN_WIDTH_MAX: f64 = 64.0;
/// See [`COLUMN_WIDTH_MAX`].
pub(crate) const COLUMN_WIDTH_MIN: f64 = 3.0;

/// Pixels of a PNG to a point, so that small text is sharp.
pub(crate) const PNG_SCALE: u32 = 2;

/// Pixels of a PNG: 40 million take 160 MB while it is drawn. A circuit of a thousand columns has
/// a quarter of that.
pub(crate) const PNG_PIXELS_MAX: u64 = 40_000_000;

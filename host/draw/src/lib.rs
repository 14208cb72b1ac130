//! A circuit in readable form: formulas, figures, and a picture of its layout.
//!
//! ```text
//!  CheckedCircuit ──┬─▶ Formulas   s0: a0 * (1 - a0) = 0
//!                   ├─▶ figures    rows by region, what each column holds
//!  Annotations ─────┴─▶ Picture ──┬─▶ svg
//!                                 └─▶ png, same shapes, built-in font
//! ```
//!
//! Pure functions: no IO, no clock, no field arithmetic. The same circuit gives the same bytes.

mod formula;
mod layout;
mod limits;
mod names;
mod picture;
mod png;
mod regions;
mod svg;

pub use formula::{Formula, Formulas, LookupFormula};
pub use layout::layout;
pub use names::column_name;
pub use picture::{Align, Colour, Picture, Shape, Size};
pub use png::{PngError, png};
pub use regions::{RegionUse, regions};
pub use svg::svg;

//! Hostile components, circuits and witnesses against a real node, beside a neighbour who works.
//!
//! What each must be answered with stands in `tests/hostile/README.md`; a test here holds that page
//! to the tests it names.

mod catalogue;
mod circuits;
mod determinism;
mod liars;
mod neighbour;
mod plugins;
mod uploads;
mod verifications;

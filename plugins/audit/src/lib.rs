//! Tests that a circuit's author runs against soundness holes; a development dependency.
//!
//! - [`tampered_cells`] changes every advice cell of a good witness in turn, and
//!   [`tampered_public_inputs`] every public input, and each returns those whose change nobody
//!   noticed. A cell of that list is not constrained at all.
//! - [`freedom`] counts in how many independent directions witness and public inputs *together*
//!   can be moved without breaking a constraint. A value that was witnessed twice where it should
//!   have been copied passes the first test, and adds directions here. (A base point witnessed so
//!   let provers counterfeit in Zcash's Orchard for four years.)
//!
//! Neither is a proof of soundness: both look around one witness. They find what careful
//! readers have missed.

mod freedom;
mod tamper;

pub use freedom::{Freedom, FreedomError, Unknown, freedom};
pub use tamper::{AuditError, TamperedCell, tampered_cells, tampered_public_inputs};

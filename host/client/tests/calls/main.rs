//! The calls of a client: that each verb of the API has one, what they carry, what becomes of an
//! answer that goes on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]

mod batches;
mod lists;
mod script;
mod verbs;
mod watch;

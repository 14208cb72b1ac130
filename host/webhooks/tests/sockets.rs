//! Deliveries over real sockets, to receivers that behave and to those that do not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that cannot go on should stop"
)]

#[path = "sockets/attempts.rs"]
mod attempts;
#[path = "sockets/courier.rs"]
mod courier;
#[path = "sockets/kit.rs"]
mod kit;
#[path = "sockets/tls.rs"]
mod tls;

//! The runtime against components written by hand: honest, careless and hostile.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end where it stands"
)]

mod attacks;
mod cache;
mod calls;
mod describe;
mod first_party;
mod fixture;
mod hostile;
mod scan;

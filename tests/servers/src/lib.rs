//! Private PostgreSQL, Redis and Prometheus servers for tests: real ones, on free loopback ports, in temporary
//! folders, that can be killed and started again.
//!
//! Of our crates it knows none, so that every room's tests may use it.

mod child;
mod postgres;
mod prometheus;
mod redis;

pub use postgres::Postgres;
pub use prometheus::{Prometheus, promtool};
pub use redis::Redis;

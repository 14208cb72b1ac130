//! The wire: generated protobuf types, the documents of the REST API, and the table of error codes.

pub mod codes;
pub mod internal;
mod problem;
pub mod rest;

pub use problem::{DETAIL_MAX, MEDIA_TYPE, PATH_MAX, Problem};

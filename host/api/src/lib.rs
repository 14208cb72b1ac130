//! The wire: generated protobuf types, the documents of the REST API, and the table of error codes.

pub mod codes;
pub mod internal;
pub mod leader;
mod problem;
pub mod public;
pub mod rest;
pub mod transfer;

pub use problem::{DETAIL_MAX, MEDIA_TYPE, PATH_MAX, Problem};

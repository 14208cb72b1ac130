//! The macro

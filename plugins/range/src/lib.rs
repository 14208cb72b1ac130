//! First-party plugin: range.

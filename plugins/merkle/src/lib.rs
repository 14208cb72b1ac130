//! First-party plugin: merkle.

//! First-party plugin: preimage.

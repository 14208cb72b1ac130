//! Testkit: real nodes in temporary folders, stories told through them.

//! Depot (blobs by digest), archive (history) and sealed inputs.

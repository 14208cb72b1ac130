//! Where things are: relative to the test's own executable.

use std::path::PathBuf;

use anyhow::Context as _;

/// The build's folder, such as `target`.
pub(crate) fn target_dir() -> anyhow::Result<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root
        .canonicalize()
        .context("the checkout is not where it was")?;
    Ok(root.join("target"))
}

/// The folder of public parameters that all tests share.
///
/// # Errors
/// When the checkout has moved.
pub fn params_dir() -> anyhow::Result<PathBuf> {
    Ok(target_dir()?.join("params"))
}

//! The compilation target of plugins, added where it is missing.

use std::path::Path;

use crate::cargo::{asked, shown, tool};
use crate::error::Error;

/// Plugins have no operating system.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Adds the target of plugins to the toolchain that a folder asks for, unless it is there.
///
/// # Errors
/// [`Error::NoTarget`] with the command to run by hand, where rustup is missing or cannot fetch
/// it; [`Error::Start`] without rustc.
pub fn ensure_target(folder: &Path) -> Result<(), Error> {
    let mut rustc = tool("rustc", folder);
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    if Path::new(asked(&mut rustc, "rustc")?.trim()).is_dir() {
        return Ok(());
    }
    let mut rustup = tool("rustup", folder);
    shown(rustup.args(["target", "add", TARGET]), "rustup").map_err(|source| Error::NoTarget {
        target: TARGET,
        source: Box::new(source),
    })
}

//! Builds the plugins of a room of this repository, as an author builds one of theirs.
//!
//! A plugin is a package of a room (`plugins/`, or `tests/fixtures/` for those that tests need)
//! with a `cdylib`; there is no list to forget one in.

use std::fmt;
use std::path::{Path, PathBuf};

use aureole_build::{Locked, Workspace};

/// One plugin as it can be uploaded.
#[derive(Clone, Debug)]
pub(crate) struct BuiltPlugin {
    /// The package without `aureole-`.
    pub(crate) name: String,
    /// The component.
    pub(crate) path: PathBuf,
    /// Its length.
    pub(crate) bytes: usize,
    /// Its SHA-256, in hex: the name the platform gives it.
    pub(crate) sha256: String,
}

impl fmt::Display for BuiltPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            bytes,
            sha256,
            ..
        } = self;
        write!(
            f,
            "{name:<12} {:>7} KiB  sha256:{sha256}",
            bytes.div_ceil(1024)
        )
    }
}

/// Builds every plugin of a room into `out` as `NAME.wasm`.
///
/// Cargo's own progress goes to standard error; nothing else is printed.
///
/// # Errors
/// If cargo fails, or a module does not implement the world in `wit/`.
pub(crate) fn build(workspace: &Path, room: &str, out: &Path) -> anyhow::Result<Vec<BuiltPlugin>> {
    let cargo = Workspace::open(workspace)?.with_target_dir(workspace.join("target/guest"));
    let packages = cargo.plugins_in(&workspace.join(room))?;
    let mut built = Vec::with_capacity(packages.len());
    for component in cargo.build(&packages, Locked::Yes)? {
        let package = &component.package;
        let name = package
            .strip_prefix("aureole-")
            .unwrap_or(package)
            .to_owned();
        let path = out.join(format!("{name}.wasm"));
        component.write(&path)?;
        built.push(BuiltPlugin {
            sha256: component.sha256(),
            bytes: component.bytes.len(),
            name,
            path,
        });
    }
    Ok(built)
}

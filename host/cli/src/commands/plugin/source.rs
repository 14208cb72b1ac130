//! What the author's verbs work on: a component's file, or a crate, which is built first.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use aureole_build::{Component, Locked, Workspace};
use clap::Args;

use super::checkout;

/// A component, or the crate of one.
#[derive(Clone, Debug, Args)]
pub(crate) struct Source {
    /// A component's FILE.wasm, or the folder of a plugin's crate, which is built first
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) path: PathBuf,
    /// Aureole checkout with the SDK, where the crate's link to it is missing
    #[arg(long, value_name = "PATH")]
    pub(crate) sdk: Option<PathBuf>,
}

// === impl Source ===

impl Source {
    /// The component's bytes. A crate is built, and its component written as `build` does.
    pub(crate) fn component(&self) -> anyhow::Result<Vec<u8>> {
        match self.folder() {
            Some(folder) => Ok(build(folder, self.sdk.as_deref(), Locked::No)?.0.bytes),
            None => fs::read(&self.path)
                .with_context(|| format!("could not read {}", self.path.display())),
        }
    }

    /// The crate's folder, unless this is a file.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.path.is_dir().then_some(&*self.path)
    }
}

/// Builds a crate's component and writes it to `target/plugin`.
pub(super) fn build(
    folder: &Path,
    sdk: Option<&Path>,
    locked: Locked,
) -> anyhow::Result<(Component, PathBuf)> {
    let shown = folder.display();
    checkout::repair(folder, sdk)?;
    let mut workspace = Workspace::open(folder)?;
    if let Some(target_dir) = std::env::var_os("CARGO_TARGET_DIR") {
        let target_dir = std::path::absolute(&target_dir)
            .with_context(|| format!("CARGO_TARGET_DIR is {}", target_dir.display()))?;
        workspace = workspace.with_target_dir(target_dir);
    }
    let packages = workspace.plugins_in(folder)?;
    let [package] = &packages[..] else {
        let names: Vec<&str> = packages.iter().map(|package| &*package.name).collect();
        bail!(
            "{shown} holds several plugins ({}): name the folder of one",
            names.join(", ")
        );
    };
    let built = workspace.build(std::slice::from_ref(package), locked)?;
    let Ok([component]) = <[Component; 1]>::try_from(built) else {
        bail!("cargo built something else than {}", package.name);
    };
    let path = workspace
        .components_dir()
        .join(format!("{}.wasm", component.package));
    component.write(&path)?;
    Ok((component, path))
}

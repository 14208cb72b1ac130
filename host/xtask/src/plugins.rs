//! Builds the plugins of a room of this repository, as an author builds one of theirs.
//!
//! A plugin is a package of a room (`plugins/`, or `tests/fixtures/` for those that tests need)
//! with a `cdylib`; there is no list to forget one in. One plugin is in C: its module is committed,
//! because not every machine has a compiler for it, and compiled again where there is one.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use aureole_build::{Component, Locked, Workspace};

/// One plugin as it can be uploaded.
#[derive(Clone, Debug)]
pub(crate) struct BuiltPlugin {
    /// The package without `aureole-`.
    pub(crate) name: String,
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
        built.push(BuiltPlugin::write(&component, out)?);
    }
    Ok(built)
}

/// The plugin in C.
const IN_C: &str = "cubic-c";
/// How its `build.sh` says that it found no compiler.
const NO_COMPILER: i32 = 3;

/// Encodes the plugin in C into `out`, after holding its module against its sources where a
/// compiler for them is found. Says which it was on standard error.
///
/// # Errors
/// If the sources do not compile, or the compiler that made the module makes another one.
pub(crate) fn build_in_c(workspace: &Path, out: &Path) -> anyhow::Result<BuiltPlugin> {
    let folder = workspace.join("plugins").join(IN_C);
    let module = folder.join("cubic.wasm");
    let rebuilt = workspace.join("target").join("cubic.wasm");
    let script = Command::new("sh")
        .arg(folder.join("build.sh"))
        .arg(&rebuilt)
        .output()
        .context("could not start sh")?;
    let said = String::from_utf8_lossy(&script.stderr);
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("could not read {}", path.display()));
    let committed = read(&module)?;
    if script.status.code() == Some(NO_COMPILER) {
        eprintln!(
            "    {IN_C}: the committed module, not compiled here: {}",
            said.trim()
        );
    } else {
        ensure!(script.status.success(), "{IN_C} does not compile: {said}");
        let compiler = |path: &Path| -> anyhow::Result<String> {
            let origin = String::from_utf8(read(&path.with_extension("wasm.origin"))?)?;
            let line = origin.lines().next().unwrap_or_default();
            Ok(line.trim_start_matches("compiler").trim().to_owned())
        };
        let (here, there) = (compiler(&rebuilt)?, compiler(&module)?);
        let same = read(&rebuilt)? == committed;
        ensure!(
            same || here != there,
            "{} is not what its sources give: run `sh build.sh cubic.wasm` there",
            module.display()
        );
        let found = if same {
            "the same bytes"
        } else {
            "other bytes"
        };
        eprintln!("    {IN_C}: compiled here to {found} (here {here}, committed {there})");
    }
    BuiltPlugin::write(&Component::from_module(IN_C, committed)?, out)
}

// === impl BuiltPlugin ===

impl BuiltPlugin {
    fn write(component: &Component, out: &Path) -> anyhow::Result<Self> {
        let package = &component.package;
        let name = package
            .strip_prefix("aureole-")
            .unwrap_or(package)
            .to_owned();
        let path = out.join(format!("{name}.wasm"));
        component.write(&path)?;
        Ok(Self {
            sha256: component.sha256(),
            bytes: component.bytes.len(),
            name,
        })
    }
}

//! Components in the real sandbox.

use std::{fs, sync::OnceLock};

use anyhow::{Context as _, anyhow};
use aureole_runtime::{CodeCache, Limits, Plugin, Sandbox, compile};
use sha2::{Digest as _, Sha256};

use crate::place::target_dir;

/// The component of all fixtures, compiled once for a process.
///
/// # Errors
/// When it has not been built: `cargo xtask plugins` does.
pub fn fixtures() -> anyhow::Result<Plugin> {
    static LOADED: OnceLock<Result<Plugin, String>> = OnceLock::new();
    let loaded =
        LOADED.get_or_init(|| load("fixtures/circuits").map_err(|error| format!("{error:#}")));
    loaded.clone().map_err(|error| anyhow!(error))
}

/// A first-party plugin, compiled and loaded.
///
/// # Errors
/// As [`fixtures`].
pub fn plugin(name: &str) -> anyhow::Result<Plugin> {
    load(name)
}

fn load(name: &str) -> anyhow::Result<Plugin> {
    let path = target_dir()?.join("plugins").join(format!("{name}.wasm"));
    let component = fs::read(&path)
        .with_context(|| format!("{}: run `cargo xtask plugins`", path.display()))?;
    loaded(&component)
}

/// A component, compiled and loaded as a node loads it.
///
/// # Errors
/// When the runtime refuses it.
pub fn loaded(component: &[u8]) -> anyhow::Result<Plugin> {
    let limits = Limits {
        slots: 2,
        ..Limits::default()
    };
    let code = compile(component, &limits)?;
    let folder = tempfile::tempdir()?;
    let digest: [u8; 32] = Sha256::digest(component).into();
    let trusted = CodeCache::open(folder.path())?.put(&digest, &code)?;
    // The code is mapped from its file: the file may go, the mapping stays.
    Ok(Sandbox::new(limits)?.load(&trusted)?)
}

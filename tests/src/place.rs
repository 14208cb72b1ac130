//! Where the things under test are: relative to the test's own executable, so that a debug test
//! meets a debug node and a release bench a release one.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use anyhow::{Context as _, bail};
use aureole_prover::ParamsDir;
use halo2_proofs::poly::commitment::Params;
use pasta_curves::EqAffine;

/// The parameters a node makes before it is ready, with its default limit on k.
const K_RANGE: std::ops::RangeInclusive<u32> = 4..=14;

/// The folder of this build's binaries, such as `target/debug`.
fn profile_dir() -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("the test does not know its own path")?;
    let mut folder = test.parent().context("the test stands in no folder")?;
    if folder.ends_with("deps") {
        folder = folder.parent().context("deps stands in no folder")?;
    }
    Ok(folder.to_owned())
}

pub(crate) fn target_dir() -> anyhow::Result<PathBuf> {
    let profile = profile_dir()?;
    Ok(profile
        .parent()
        .context("the build's folder stands in no target folder")?
        .to_owned())
}

fn built(path: PathBuf) -> anyhow::Result<PathBuf> {
    if !path.is_file() {
        bail!(
            "{} is not there: run `cargo xtask test`, which builds it",
            path.display()
        );
    }
    Ok(path)
}

/// The node and command line of this build.
///
/// # Errors
/// When it has not been built.
pub fn binary() -> anyhow::Result<PathBuf> {
    built(profile_dir()?.join(format!("aureole{}", std::env::consts::EXE_SUFFIX)))
}

/// Makes another version of [`binary`] in a folder and returns it with its number. It is the same
/// build in every other respect: the number is changed where it stands in the executable, which costs
/// no compilation. Versions of interfaces, which stand after an `@`, stay.
///
/// # Errors
/// When the number is not to be found.
pub fn another_version(folder: &Path) -> anyhow::Result<(PathBuf, String)> {
    let ours = env!("CARGO_PKG_VERSION");
    let (kept, last) = ours.split_at(ours.len() - 1);
    let theirs = format!("{kept}{}", if last == "9" { "8" } else { "9" });
    let mut bytes = fs::read(binary()?)?;
    let places: Vec<usize> = bytes
        .windows(ours.len() + 1)
        .enumerate()
        .filter(|(_, window)| window.first() != Some(&b'@') && window.ends_with(ours.as_bytes()))
        .map(|(at, _)| at + 1)
        .collect();
    anyhow::ensure!(!places.is_empty(), "the executable does not say {ours}");
    for at in places {
        let place = bytes.get_mut(at..at + theirs.len());
        place
            .context("the number ends beyond the file")?
            .copy_from_slice(theirs.as_bytes());
    }
    let path = folder.join(format!("aureole-{theirs}{}", std::env::consts::EXE_SUFFIX));
    // Copied first for its permissions.
    fs::copy(binary()?, &path)?;
    fs::write(&path, bytes)?;
    Ok((path, theirs))
}

/// The component of a first-party plugin.
///
/// # Errors
/// When it has not been built.
pub fn plugin_path(name: &str) -> anyhow::Result<PathBuf> {
    built(target_dir()?.join("plugins").join(format!("{name}.wasm")))
}

/// The bytes of a first-party plugin.
///
/// # Errors
/// When it has not been built.
pub fn plugin(name: &str) -> anyhow::Result<Vec<u8>> {
    read(&plugin_path(name)?)
}

/// The bytes of a plugin that only tests need; it stands in `fixtures/`.
///
/// # Errors
/// When it has not been built.
pub fn fixture(name: &str) -> anyhow::Result<Vec<u8>> {
    read(&fixture_path(name)?)
}

/// The component of a plugin that only tests need.
///
/// # Errors
/// When it has not been built.
pub fn fixture_path(name: &str) -> anyhow::Result<PathBuf> {
    built(
        target_dir()?
            .join("plugins/fixtures")
            .join(format!("{name}.wasm")),
    )
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("could not read {}", path.display()))
}

/// The folder of public parameters that all nodes under test share. The first test that asks
/// makes those that are missing, once for a checkout; the others wait for it.
///
/// # Errors
/// When they cannot be made.
pub fn params_dir() -> anyhow::Result<PathBuf> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let made = MADE.get_or_init(|| make_params().map_err(|error| format!("{error:#}")));
    made.clone().map_err(anyhow::Error::msg)
}

fn make_params() -> anyhow::Result<PathBuf> {
    let folder = target_dir()?.join("params");
    ParamsDir::open(&folder)?.generate_missing(K_RANGE, |k| {
        eprintln!("making the public parameters for k = {k}, once");
    })?;
    Ok(folder)
}

/// The parameters for 2^k rows, read once for a process.
///
/// # Errors
/// When they cannot be read or made.
pub fn params(k: u32) -> anyhow::Result<Arc<Params<EqAffine>>> {
    static OPEN: OnceLock<ParamsDir> = OnceLock::new();
    let folder = params_dir()?;
    let opened = match OPEN.get() {
        Some(opened) => opened,
        None => {
            let opened = ParamsDir::open(folder)?;
            OPEN.get_or_init(|| opened)
        }
    };
    Ok(opened.get(k)?)
}

/// The public parameters for 2^k rows, read from disk again whatever was read before.
///
/// # Errors
/// As [`params`].
pub fn params_afresh(k: u32) -> anyhow::Result<Arc<Params<EqAffine>>> {
    Ok(ParamsDir::open(params_dir()?)?.get(k)?)
}

//! Builds the first-party plugins: cargo for `wasm32-unknown-unknown`, then a component of it.
//!
//! The result depends on the sources, the lock file and the toolchain only: the environment is
//! scrubbed, paths are remapped, and the guests have a target folder of their own, so that
//! features do not unify with the host's and no lock is shared with a running `cargo test`.
//! A plugin is a package of a room (`plugins/`, or `tests/fixtures/` for those that tests need)
//! with a `cdylib`; there is no list to forget one in.

use std::{
    collections::BTreeSet,
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// What a guest's release build differs in: one crate graph optimised as a whole and for size
/// (3% slower, a third smaller, and the compiler's time at upload goes with size), nothing in it
/// for a debugger, and no function names, which would be a quarter of it.
const PROFILE: [&str; 5] = [
    "profile.release.opt-level=\"s\"",
    "profile.release.lto=\"fat\"",
    "profile.release.codegen-units=1",
    "profile.release.debug=false",
    "profile.release.strip=\"symbols\"",
];

/// One plugin as it can be uploaded.
#[derive(Clone, Debug)]
pub(crate) struct BuiltPlugin {
    /// The package without `aureole-`.
    pub(crate) name: String,
    /// The component.
    pub(crate) path: PathBuf,
    /// Its length.
    pub(crate) bytes: u64,
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

/// A package that is a plugin.
struct Package {
    name: String,
    library: String,
}

/// Builds every plugin of a room into `out` as `NAME.wasm`.
///
/// Cargo's own progress goes to standard error; nothing else is printed.
///
/// # Errors
/// If cargo fails, or a module does not implement the world in `wit/`.
pub(crate) fn build(workspace: &Path, room: &str, out: &Path) -> anyhow::Result<Vec<BuiltPlugin>> {
    let packages = packages(workspace, room)?;
    ensure!(
        !packages.is_empty(),
        "no package under {room}/ has a cdylib"
    );
    let target_dir = workspace.join("target/guest");
    compile(workspace, &target_dir, &packages)?;
    fs::create_dir_all(out).with_context(|| format!("could not create {}", out.display()))?;
    packages
        .iter()
        .map(|package| {
            let module = target_dir
                .join(TARGET)
                .join("release")
                .join(format!("{}.wasm", package.library));
            componentise(package, &module, out)
                .with_context(|| format!("could not make a component of {}", package.name))
        })
        .collect()
}

fn packages(workspace: &Path, room: &str) -> anyhow::Result<Vec<Package>> {
    let output = cargo(workspace)
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .output()
        .context("could not start cargo")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let room = workspace.join(room);
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        if !Path::new(manifest).starts_with(&room) {
            continue;
        }
        let library = package["targets"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|target| {
                target["crate_types"]
                    .as_array()
                    .is_some_and(|types| types.iter().any(|kind| kind == "cdylib"))
            });
        if let (Some(name), Some(library)) = (
            package["name"].as_str(),
            library.and_then(|library| library["name"].as_str()),
        ) {
            found.push(Package {
                name: name.to_owned(),
                library: library.replace('-', "_"),
            });
        }
    }
    found.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(found)
}

fn compile(workspace: &Path, target_dir: &Path, packages: &[Package]) -> anyhow::Result<()> {
    let mut command = cargo(workspace);
    command.args([
        "build",
        "--release",
        "--locked",
        "--lib",
        "--target",
        TARGET,
    ]);
    command.arg("--target-dir").arg(target_dir);
    for setting in PROFILE {
        command.args(["--config", setting]);
    }
    command.arg("--config").arg(remapped_paths(workspace)?);
    for package in packages {
        command.args(["--package", &package.name]);
    }
    let status = command.status().context("could not start cargo")?;
    ensure!(
        status.success(),
        "cargo build of the plugins ended with {status}"
    );
    Ok(())
}

/// Joins the flags of `.cargo/config.toml`: panic messages and so digests would otherwise name
/// the folders of this machine.
fn remapped_paths(workspace: &Path) -> anyhow::Result<String> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))
        .context("neither CARGO_HOME nor HOME is set")?;
    let flags: Vec<String> = [(home.as_path(), "/cargo"), (workspace, "/aureole")]
        .into_iter()
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()))
        .collect();
    Ok(format!(
        "target.{TARGET}.rustflags={}",
        serde_json::to_string(&flags)?
    ))
}

/// Cargo in the workspace, without what its caller's environment would change in a build.
fn cargo(workspace: &Path) -> Command {
    const KEPT: [&str; 5] = [
        "CARGO_HOME",
        "CARGO_NET_",
        "CARGO_HTTP_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
    ];
    let scrubbed: BTreeSet<_> = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| {
            let name = name.to_string_lossy();
            let builds = [
                "CARGO",
                "__CARGO",
                "RUSTC",
                "RUSTFLAGS",
                "RUSTDOC",
                "RUSTUP_TOOLCHAIN",
            ]
            .iter()
            .any(|prefix| name.starts_with(prefix));
            builds && !KEPT.iter().any(|kept| name.starts_with(kept))
        })
        .collect();
    let mut command = Command::new("cargo");
    command.current_dir(workspace);
    for name in scrubbed {
        command.env_remove(name);
    }
    command
}

fn componentise(package: &Package, module: &Path, out: &Path) -> anyhow::Result<BuiltPlugin> {
    let module =
        fs::read(module).with_context(|| format!("could not read {}", module.display()))?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .context("the module does not say which world it implements: is `export!` there?")?
        .encode()?;
    let name = package
        .name
        .strip_prefix("aureole-")
        .unwrap_or(&package.name)
        .to_owned();
    let path = out.join(format!("{name}.wasm"));
    // Written beside and moved, so that a test that reads meanwhile sees all or nothing.
    let staged = out.join(format!("{name}.wasm.{}", std::process::id()));
    fs::write(&staged, &component)
        .and_then(|()| fs::rename(&staged, &path))
        .with_context(|| format!("could not write {}", path.display()))?;
    let bytes = u64::try_from(component.len())?;
    Ok(BuiltPlugin {
        name,
        path,
        bytes,
        sha256: hex::encode(Sha256::digest(&component)),
    })
}

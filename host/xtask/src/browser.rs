//! The browser of the console's tests: Chromium, looked for and where that may be installed, and the
//! npm packages that drive it, in a folder of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::{servers, shell};

/// What names the browser to the test.
pub(crate) const BROWSER: &str = "AUREOLE_BROWSER";

/// What stands for a browser where there is none and that is known.
pub(crate) const NONE: &str = "none";

/// What names the folder of the packages to the test.
pub(crate) const TOOLS: &str = "AUREOLE_BROWSER_TOOLS";

/// The packages: what drives the browser, and what looks for pages that keep people out.
const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "axe-core@4.14.1"];

/// Where they are put, below the workspace.
const FOLDER: &str = "target/console-browser";

/// What Chromium is called, on one system or another.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A browser, and what drives it.
#[derive(Debug)]
pub(crate) struct Browser {
    pub(crate) program: PathBuf,
    pub(crate) tools: PathBuf,
}

/// The browser: the one that the variable names, one that is installed, or Debian's, where that can be
/// installed.
pub(crate) fn make_ready(workspace: &Path) -> anyhow::Result<Browser> {
    let program: PathBuf = match std::env::var_os(BROWSER) {
        Some(program) => program.into(),
        None => installed()?,
    };
    if program == Path::new(NONE) {
        let tools = PathBuf::new();
        return Ok(Browser { program, tools });
    }
    let tools = match std::env::var_os(TOOLS) {
        Some(tools) => tools.into(),
        None => packages(workspace)?,
    };
    Ok(Browser { program, tools })
}

fn installed() -> anyhow::Result<PathBuf> {
    if let Some(program) = find(&NAMES) {
        return Ok(program);
    }
    servers::install(&["chromium"])
        .context("there is no Chromium; install it, as by `apt-get install chromium`")?;
    find(&NAMES).context("Chromium was installed and is not on the path")
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut places = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.find(|place| place.is_file())
}

/// The packages in their folder, by npm.
fn packages(workspace: &Path) -> anyhow::Result<PathBuf> {
    let folder = workspace.join(FOLDER);
    let wanted = PACKAGES.join(" ");
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    shell::step("installing what drives the browser");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund"])
        .args(["--save-exact", "--ignore-scripts"])
        .args(PACKAGES)
        .current_dir(&folder);
    shell::run(&mut npm)?;
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    //! What is looked for.

    use super::find;

    #[test]
    fn a_program_is_found_by_any_of_its_names() {
        assert!(find(&["no-such-browser", "sh"]).is_some());
        assert!(find(&["no-such-browser"]).is_none());
    }
}

//! The servers that tests start: PostgreSQL, Redis and Prometheus, looked for and, where that may be, installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell;

/// A program that some test starts, and Debian's package of it.
const SERVERS: [(&str, &str); 4] = [
    ("initdb", "postgresql"),
    ("redis-server", "redis-server"),
    ("prometheus", "prometheus"),
    ("promtool", "prometheus"),
];

/// Where Debian puts PostgreSQL's programs, below the folder of a version.
const POSTGRESQL: &str = "/usr/lib/postgresql";

/// Installs what is missing by apt, as root; else says what to install. The tests that need a server
/// that is not there fail and say so too.
pub(crate) fn make_ready() {
    let packages = missing(&folders());
    if packages.is_empty() {
        return;
    }
    let names = packages.join(" ");
    if !may_install() {
        eprintln!(
            "some tests need a server that is not here; install it, as by `apt-get install {names}`"
        );
        return;
    }
    if let Err(error) = install(&packages) {
        eprintln!("{error:#}; tests that need one of {names} will fail");
    }
}

/// Installs packages by apt, where this process may.
pub(crate) fn install(packages: &[&str]) -> anyhow::Result<()> {
    anyhow::ensure!(may_install(), "there is no apt here, or this is not root");
    shell::step(&format!(
        "installing what tests start: {}",
        packages.join(" ")
    ));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(arguments);
        shell::run(&mut command)
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

fn missing(folders: &[PathBuf]) -> Vec<&'static str> {
    let lacks = |program: &str| !folders.iter().any(|folder| folder.join(program).is_file());
    let lacking = SERVERS.iter().filter(|(program, _)| lacks(program));
    let mut packages: Vec<_> = lacking.map(|(_, package)| *package).collect();
    packages.dedup();
    packages
}

fn folders() -> Vec<PathBuf> {
    let versions = Path::new(POSTGRESQL).read_dir().into_iter().flatten();
    let versions = versions.flatten().map(|entry| entry.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions.chain(std::env::split_paths(&path)).collect()
}

fn may_install() -> bool {
    let root = Command::new("id").arg("-u").output();
    root.is_ok_and(|id| id.stdout == b"0\n") && Path::new("/usr/bin/apt-get").is_file()
}

#[cfg(test)]
mod tests {
    //! What is looked for, and what is asked for when it is not there.

    use super::*;

    #[test]
    fn what_is_not_in_any_folder_is_missing() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let folders = [folder.path().to_owned()];
        assert_eq!(
            missing(&folders),
            ["postgresql", "redis-server", "prometheus"]
        );
        std::fs::write(folder.path().join("initdb"), "")?;
        assert_eq!(missing(&folders), ["redis-server", "prometheus"]);
        std::fs::write(folder.path().join("prometheus"), "")?;
        assert_eq!(missing(&folders), ["redis-server", "prometheus"]);
        std::fs::write(folder.path().join("promtool"), "")?;
        std::fs::write(folder.path().join("redis-server"), "")?;
        assert!(missing(&folders).is_empty());
        Ok(())
    }
}

//! Cargo and rustc, without what their caller's environment would change in a build.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};

use crate::error::Error;

/// What a build may not see of its caller: flags, wrappers, profiles, another toolchain, and what
/// an outer cargo says of itself.
const SCRUBBED: [&str; 6] = [
    "CARGO",
    "__CARGO",
    "RUSTC",
    "RUSTFLAGS",
    "RUSTDOC",
    "RUSTUP_TOOLCHAIN",
];

/// Where packages come from and how the network is reached is the caller's business.
const KEPT: [&str; 5] = [
    "CARGO_HOME",
    "CARGO_NET_",
    "CARGO_HTTP_",
    "CARGO_REGISTR",
    "CARGO_SOURCE_",
];

/// A program of the toolchain that the folder asks for.
pub(crate) fn tool(program: &'static str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for name in std::env::vars_os()
        .map(|(name, _)| name)
        .filter(is_scrubbed)
    {
        command.env_remove(name);
    }
    command
}

fn is_scrubbed(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    starts(&SCRUBBED) && !starts(&KEPT)
}

/// Runs a program with its output shown to whoever waits for it.
pub(crate) fn shown(command: &mut Command, program: &'static str) -> Result<(), Error> {
    let status = command
        .status()
        .map_err(|source| Error::Start { program, source })?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        command: title(command),
        status,
        detail: String::new(),
    })
}

/// Runs a program and takes what it prints.
pub(crate) fn asked(command: &mut Command, program: &'static str) -> Result<String, Error> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(|source| Error::Start { program, source })?;
    if !status.success() {
        return Err(Error::Failed {
            command: title(command),
            status,
            detail: String::from_utf8_lossy(&stderr).trim().to_owned(),
        });
    }
    String::from_utf8(stdout).map_err(|error| Error::Answer {
        command: program,
        detail: error.to_string(),
    })
}

/// The program and its verb: `cargo build`.
fn title(command: &Command) -> String {
    let verb = command.get_args().next().unwrap_or_default();
    format!(
        "{} {}",
        command.get_program().to_string_lossy(),
        verb.to_string_lossy()
    )
}

#[cfg(test)]
mod tests {
    //! What a build sees of its caller.

    use super::is_scrubbed;

    #[test]
    fn flags_and_toolchains_of_the_caller_do_not_reach_a_build_and_its_registries_do() {
        for name in [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_DIR",
            "RUSTC_WRAPPER",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(is_scrubbed(&name.into()), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_REGISTRIES_X_INDEX",
        ] {
            assert!(!is_scrubbed(&name.into()), "{name}");
        }
    }
}

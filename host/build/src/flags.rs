//! What guests are compiled with.

use std::path::{Path, PathBuf};

use crate::cargo::{asked, tool};
use crate::error::Error;

/// What a guest's release build differs in: one crate graph optimised as a whole and for size
/// (3% slower, a third smaller, and the compiler's time at upload goes with size), nothing in it
/// for a debugger, and no function names, which would be a quarter of it.
pub(crate) const PROFILE: [&str; 6] = [
    "profile.release.opt-level=\"s\"",
    "profile.release.lto=\"fat\"",
    "profile.release.codegen-units=1",
    "profile.release.debug=false",
    "profile.release.strip=\"symbols\"",
    "profile.release.incremental=false",
];

/// The rustflags of guests, joined as `CARGO_ENCODED_RUSTFLAGS` wants them.
///
/// That variable takes the place of every configuration file's flags, so they are all here:
/// - field arithmetic is about seven times faster with the wide-arithmetic instructions;
/// - a guest has no source of randomness by design;
/// - panic messages name the files of packages and of the standard library: the folders these
///   stand in on this machine become fixed names. (The standard library's do only where its
///   sources are installed.) The crate's own files are named relative to its folder anyway.
pub(crate) fn rustflags(folder: &Path) -> Result<String, Error> {
    let version = asked(tool("rustc", folder).arg("-vV"), "rustc")?;
    let commit = line(&version, "commit-hash: ")?;
    let sysroot = asked(tool("rustc", folder).args(["--print", "sysroot"]), "rustc")?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
    let remapped = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let flags = [
        "-Ctarget-feature=+wide-arithmetic".to_owned(),
        "--cfg=getrandom_backend=\"unsupported\"".to_owned(),
        remapped(&cargo_home()?, "/cargo"),
        remapped(&library, &format!("/rustc/{commit}")),
    ];
    Ok(flags.join("\u{1f}"))
}

fn line<'a>(text: &'a str, start: &str) -> Result<&'a str, Error> {
    text.lines()
        .find_map(|line| line.strip_prefix(start))
        .ok_or_else(|| Error::Answer {
            command: "rustc -vV",
            detail: format!("no line starts with `{start}`"),
        })
}

fn cargo_home() -> Result<PathBuf, Error> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))
        .ok_or(Error::NoHome)
}

#[cfg(test)]
mod tests {
    //! What reaches a compiler.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::{line, rustflags};

    #[test]
    fn flags_name_no_folder_of_this_machine_on_their_right_side() {
        let flags = rustflags(std::path::Path::new(".")).unwrap();
        let remaps: Vec<&str> = flags
            .split('\u{1f}')
            .filter_map(|flag| flag.strip_prefix("--remap-path-prefix="))
            .collect();
        assert_eq!(remaps.len(), 2);
        for remap in remaps {
            let (_, to) = remap.rsplit_once('=').unwrap();
            assert!(to == "/cargo" || to.starts_with("/rustc/"), "{remap}");
        }
    }

    #[test]
    fn a_compiler_that_does_not_say_its_commit_is_an_error() {
        let error = line("rustc 1.0\n", "commit-hash: ").unwrap_err();
        assert!(error.to_string().contains("commit-hash"), "{error}");
    }
}

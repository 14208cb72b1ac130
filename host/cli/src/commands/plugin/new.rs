//! `aureole plugin new`: a crate that compiles, passes its tests and proves at once.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::json;

use super::checkout;
use crate::commands::Context;
use crate::print;

/// Begin a plugin: a worked example to be changed into your own.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// Name of the plugin and its crate: lower-case letters, digits and dashes
    name: String,
    /// Folder for the crate [default: the name]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Aureole checkout with the SDK [default: the one this program was built from]
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

/// The crate's files; in them `__name__` is the plugin's name and `__ident__` the library's.
const FILES: [(&str, &str); 9] = [
    (
        "Cargo.toml",
        include_str!("../../../templates/plugin/manifest.toml"),
    ),
    (
        ".gitignore",
        include_str!("../../../templates/plugin/gitignore"),
    ),
    (
        "README.md",
        include_str!("../../../templates/plugin/README.md"),
    ),
    (
        "src/lib.rs",
        include_str!("../../../templates/plugin/src/lib.rs"),
    ),
    (
        "src/circuit.rs",
        include_str!("../../../templates/plugin/src/circuit.rs"),
    ),
    (
        "src/plugin.rs",
        include_str!("../../../templates/plugin/src/plugin.rs"),
    ),
    (
        "tests/circuit.rs",
        include_str!("../../../templates/plugin/tests/circuit.rs"),
    ),
    (
        "examples/proves.json",
        include_str!("../../../templates/plugin/examples/proves.json"),
    ),
    (
        "examples/refused.json",
        include_str!("../../../templates/plugin/examples/refused.json"),
    ),
];

/// What the crate has from the checkout: the compiler, and the versions of everything that the
/// platform itself was tested with. Without them the same source would not give the same digest.
const FROM_CHECKOUT: [&str; 2] = ["rust-toolchain.toml", "Cargo.lock"];

/// Names that cargo refuses for a crate, or that are a dependency's.
const TAKEN: [&str; 44] = [
    "abstract",
    "as",
    "async",
    "aureole-audit",
    "aureole-ir",
    "aureole-sdk",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "pub",
    "ref",
    "schemars",
    "self",
    "serde",
    "std",
    "super",
    "test",
    "type",
    "where",
];

/// Longest name: what a plugin may be called.
const NAME_MAX: usize = 63;

/// Writes the crate.
pub(super) fn run(context: &Context, options: New) -> anyhow::Result<()> {
    let New { name, folder, sdk } = options;
    check_name(&name)?;
    let checkout = checkout::find(sdk.as_deref())?;
    let folder = folder.unwrap_or_else(|| PathBuf::from(&name));
    ensure!(
        !folder.exists(),
        "{} is there already: choose another --folder",
        folder.display()
    );
    write(&folder, &name, &checkout)?;
    let shown = folder.display();
    print::result(
        context.output,
        &json!({"name": name, "folder": folder, "sdk": checkout}),
        |_| {
            print::line(format_args!(
                "{name} is in {shown}; the circuit is in src/circuit.rs"
            ));
            print::line(format_args!("  cd {shown}"));
            print::line("  aureole plugin check   # what a node would say of it");
            print::line("  aureole plugin test    # proves the inputs of examples/");
        },
    )
}

fn write(folder: &Path, name: &str, checkout: &Path) -> anyhow::Result<()> {
    let ident = name.replace('-', "_");
    for (path, text) in FILES {
        let text = text.replace("__name__", name).replace("__ident__", &ident);
        put(&folder.join(path), text.as_bytes())?;
    }
    for file in FROM_CHECKOUT {
        let path = checkout.join(file);
        let bytes =
            fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
        put(&folder.join(file), &bytes)?;
    }
    checkout::link(folder, checkout)
}

fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("could not make the folder {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("could not write {}", path.display()))
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=NAME_MAX).contains(&name.len())
        || !name.bytes().all(allowed)
        || !name.starts_with(|first: char| first.is_ascii_lowercase())
        || name.ends_with('-')
    {
        bail!(
            "`{}` cannot be a plugin's name: 1 to {NAME_MAX} lower-case letters, digits and \
             dashes, a letter first and no dash last",
            name.escape_debug()
        );
    }
    if TAKEN.contains(&name) || name.starts_with("halo2-") {
        bail!("`{name}` cannot be a crate's name: it is Rust's own or that of a dependency");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! Which names are refused. What becomes of the crate is told in `tests/tests/kit`.

    use super::check_name;

    #[test]
    fn names_that_nodes_or_cargo_refuse_are_refused() {
        for name in [
            "",
            "Circles",
            "my_plugin",
            "-a",
            "a-",
            "9a",
            "fn",
            "serde",
            "a b",
            "../a",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name(&"a".repeat(64)).is_err());
        for name in ["circles", "my-plugin", "a9"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }
}

//! The packages of a folder that are plugins, and building them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cargo::{asked, shown, tool};
use crate::component::Component;
use crate::error::Error;
use crate::flags::{PROFILE, rustflags};
use crate::target::{TARGET, ensure_target};

/// A folder that cargo builds, with the plugins in it.
#[derive(Clone, Debug)]
pub struct Workspace {
    folder: PathBuf,
    /// The folder of the workspace's manifest.
    root: PathBuf,
    target_dir: PathBuf,
    components_dir: PathBuf,
    plugins: Vec<Package>,
    /// The names of all its packages.
    members: Vec<String>,
}

/// A package that is a plugin: it has a library of type `cdylib`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its folder.
    pub folder: PathBuf,
    /// The file name of its module, without the ending.
    pub(crate) library: String,
}

/// Whether a build may change the lock file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// It fails if it would have to: for what must be reproduced.
    Yes,
    /// It adds what the manifest asks for and the lock file lacks.
    No,
}

// === impl Workspace ===

impl Workspace {
    /// Asks cargo which plugins the workspace around a folder has.
    ///
    /// # Errors
    /// [`Error::Start`], or cargo's own words on the manifest in [`Error::Failed`].
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let mut cargo = tool("cargo", folder);
        cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
        let answer = asked(&mut cargo, "cargo")?;
        let malformed = |detail: &str| Error::Answer {
            command: "cargo metadata",
            detail: detail.to_owned(),
        };
        let metadata: Value =
            serde_json::from_str(&answer).map_err(|error| malformed(&error.to_string()))?;
        let target = metadata["target_directory"]
            .as_str()
            .ok_or_else(|| malformed("it has no `target_directory`"))?;
        let root = metadata["workspace_root"]
            .as_str()
            .ok_or_else(|| malformed("it has no `workspace_root`"))?;
        let packages = metadata["packages"]
            .as_array()
            .ok_or_else(|| malformed("it has no `packages`"))?;
        let names = packages
            .iter()
            .filter_map(|package| package["name"].as_str());
        let members = names.map(str::to_owned).collect();
        let mut plugins: Vec<Package> = packages.iter().filter_map(Package::read).collect();
        plugins.sort_by(|left, right| left.name.cmp(&right.name));
        // A folder of its own: a guest's features and profile never meet those of the host, and
        // no lock is shared with a running `cargo test`.
        let target_dir = Path::new(target).join("guest");
        Ok(Self {
            folder: folder.to_owned(),
            root: PathBuf::from(root),
            target_dir,
            components_dir: Path::new(target).join("plugin"),
            plugins,
            members,
        })
    }

    /// Builds into this folder instead of `guest` below cargo's target folder. The components do
    /// not depend on it.
    #[must_use]
    pub fn with_target_dir(mut self, target_dir: PathBuf) -> Self {
        self.target_dir = target_dir;
        self
    }

    /// Where an author finds components: `plugin` below cargo's target folder.
    #[must_use]
    pub fn components_dir(&self) -> &Path {
        &self.components_dir
    }

    /// The plugins that stand in a folder or below it, by name.
    ///
    /// # Errors
    /// [`Error::NoPlugin`] when there is none.
    pub fn plugins_in(&self, folder: &Path) -> Result<Vec<Package>, Error> {
        let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let canonical = absolute.canonicalize().unwrap_or(absolute);
        let found: Vec<Package> = self
            .plugins
            .iter()
            .filter(|package| package.folder.starts_with(&canonical))
            .cloned()
            .collect();
        if found.is_empty() {
            return Err(Error::NoPlugin { folder: canonical });
        }
        Ok(found)
    }

    /// Builds plugins; cargo's progress goes to standard error. The target is added to the
    /// toolchain where it is missing.
    ///
    /// # Errors
    /// When cargo fails, which it explains on standard error, or a module does not implement the
    /// world in `wit/`.
    pub fn build(&self, packages: &[Package], locked: Locked) -> Result<Vec<Component>, Error> {
        ensure_target(&self.folder)?;
        let mut cargo = tool("cargo", &self.folder);
        cargo
            .args(["build", "--release", "--lib", "--target", TARGET])
            .arg("--target-dir")
            .arg(&self.target_dir)
            .env("CARGO_ENCODED_RUSTFLAGS", rustflags(&self.folder)?);
        if locked == Locked::Yes {
            cargo.arg("--locked");
        }
        for setting in PROFILE {
            cargo.args(["--config", setting]);
        }
        for package in packages {
            cargo.args(["--package", &package.name]);
        }
        let _alone = self.lock()?;
        self.part_from_others(locked)?;
        shown(&mut cargo, "cargo")?;
        let modules = self.target_dir.join(TARGET).join("release");
        packages
            .iter()
            .map(|package| {
                let module = modules.join(format!("{}.wasm", package.library));
                Component::encode(package, &module)
            })
            .collect()
    }

    /// Has cargo build anew what was built last from another folder: in a target folder that
    /// workspaces share, packages of one name and one place within their workspaces are the same
    /// to cargo, and it would take the other's module wherever that is newer than this source.
    fn part_from_others(&self, locked: Locked) -> Result<(), Error> {
        let root = self.root.as_os_str().as_encoded_bytes();
        let stamp = |member: &String| self.target_dir.join(format!(".{member}.built-from"));
        let here = |path: &PathBuf| fs::read(path).is_ok_and(|last| last == root);
        let foreign: Vec<&String> = self
            .members
            .iter()
            .filter(|member| !here(&stamp(member)))
            .collect();
        if foreign.is_empty() {
            return Ok(());
        }
        let mut cargo = tool("cargo", &self.folder);
        cargo
            .args(["clean", "--quiet", "--release", "--target", TARGET])
            .arg("--target-dir")
            .arg(&self.target_dir);
        if locked == Locked::Yes {
            cargo.arg("--locked");
        }
        for member in &foreign {
            cargo.args(["--package", member]);
        }
        shown(&mut cargo, "cargo")?;
        for member in foreign {
            let path = stamp(member);
            fs::write(&path, root).map_err(|source| Error::File {
                path,
                done: "written",
                source,
            })?;
        }
        Ok(())
    }

    /// Keeps other builds out of the target folder until the modules are read: cargo's own lock
    /// ends with cargo, and a plugin of the same name would overwrite this one's module.
    fn lock(&self) -> Result<File, Error> {
        let path = self.target_dir.join(".aureole-build.lock");
        fs::create_dir_all(&self.target_dir)
            .and_then(|()| File::create(&path))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|source| Error::File {
                path,
                done: "locked",
                source,
            })
    }
}

// === impl Package ===

impl Package {
    /// A package of cargo's metadata, if it is a plugin.
    fn read(package: &Value) -> Option<Self> {
        let is_plugin = |target: &&Value| {
            let types = target["crate_types"].as_array();
            types.is_some_and(|types| types.iter().any(|kind| kind == "cdylib"))
        };
        let library = package["targets"].as_array()?.iter().find(is_plugin)?;
        let manifest = Path::new(package["manifest_path"].as_str()?);
        Some(Self {
            name: package["name"].as_str()?.to_owned(),
            version: package["version"].as_str()?.to_owned(),
            folder: manifest.parent()?.to_owned(),
            library: library["name"].as_str()?.replace('-', "_"),
        })
    }
}

#[cfg(test)]
mod tests {
    //! Which packages are plugins.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn crate_with(lib: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let manifest = format!(
            "[package]\nname = \"circles\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\
             [workspace]\n[lib]\n{lib}\n"
        );
        fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/lib.rs"), "//! Nothing.\n").unwrap();
        folder
    }

    #[test]
    fn a_package_with_a_cdylib_is_a_plugin() {
        let folder = crate_with("crate-type = [\"rlib\", \"cdylib\"]");
        let workspace = Workspace::open(folder.path()).unwrap();
        let [package] = &workspace.plugins_in(folder.path()).unwrap()[..] else {
            unreachable!("one package was written");
        };
        assert_eq!((&*package.name, &*package.version), ("circles", "1.2.3"));
    }

    #[test]
    fn a_package_without_a_cdylib_is_refused_with_the_line_it_lacks() {
        let folder = crate_with("");
        let workspace = Workspace::open(folder.path()).unwrap();
        let error = workspace.plugins_in(folder.path()).unwrap_err();
        assert!(matches!(error, Error::NoPlugin { .. }), "{error:?}");
        assert!(error.to_string().contains("cdylib"), "{error}");
    }

    #[test]
    fn a_folder_without_a_manifest_is_refused_in_cargos_words() {
        let folder = tempfile::tempdir().unwrap();
        let error = Workspace::open(folder.path()).unwrap_err();
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
    }

    #[test]
    fn a_crate_that_does_not_compile_is_refused() {
        let folder = crate_with("crate-type = [\"cdylib\"]");
        fs::write(folder.path().join("src/lib.rs"), "//! Nothing.\nfn").unwrap();
        let workspace = Workspace::open(folder.path()).unwrap();
        let packages = workspace.plugins_in(folder.path()).unwrap();
        let error = workspace.build(&packages, Locked::No).unwrap_err();
        assert!(
            error.to_string().starts_with("`cargo build` ended with"),
            "{error}"
        );
    }

    #[test]
    fn two_folders_that_share_a_target_folder_get_their_own_modules() {
        let lib = "crate-type = [\"cdylib\"]";
        let exporting = |name: &str| {
            let folder = crate_with(lib);
            let source =
                format!("//! {name}.\n#[unsafe(no_mangle)]\npub extern \"C\" fn {name}() {{}}\n");
            fs::write(folder.path().join("src/lib.rs"), source).unwrap();
            folder
        };
        // The later build's source is the older one: to cargo its module would be fresh.
        let (second, first) = (exporting("of_the_second"), exporting("of_the_first"));
        let target = tempfile::tempdir().unwrap();
        for (folder, export) in [(first, "of_the_first"), (second, "of_the_second")] {
            let workspace = Workspace::open(folder.path()).unwrap();
            let workspace = workspace.with_target_dir(target.path().to_owned());
            let packages = workspace.plugins_in(folder.path()).unwrap();
            // They are no plugins; their modules are there all the same.
            workspace.build(&packages, Locked::No).unwrap_err();
            let module = target.path().join(TARGET).join("release/circles.wasm");
            let module = fs::read(module).unwrap();
            let named = module
                .windows(export.len())
                .any(|part| part == export.as_bytes());
            assert!(named, "the module of `{export}` is another's");
        }
    }
}

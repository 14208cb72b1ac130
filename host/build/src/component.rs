//! A built plugin, as it can be uploaded.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use wit_component::ComponentEncoder;

use crate::error::{Cause, Error};
use crate::workspace::Package;
use crate::world::{name_world, names_world};

/// A plugin as nodes take it.
#[derive(Clone, Debug)]
pub struct Component {
    /// The package it was built from, or the name its module was given.
    pub package: String,
    /// The package's version; empty for a module that came without a package.
    pub version: String,
    /// The component.
    pub bytes: Vec<u8>,
}

// === impl Component ===

impl Component {
    /// Makes a component of the module that cargo built.
    pub(crate) fn encode(package: &Package, module: &Path) -> Result<Self, Error> {
        let module = fs::read(module).map_err(|source| Error::File {
            path: module.to_owned(),
            done: "read",
            source,
        })?;
        let world = |source| Error::World {
            package: package.name.clone(),
            source,
        };
        // The encoder would make an empty component of it.
        if !names_world(&module) {
            return Err(world("it has no section `component-type`".into()));
        }
        Ok(Self {
            package: package.name.clone(),
            version: package.version.clone(),
            bytes: encode(&module).map_err(world)?,
        })
    }

    /// Makes a component of a core module in any language that exports what `wit/circuit.wit`
    /// asks for, under the names of the canonical ABI. What the module does not say of its world
    /// itself is added.
    ///
    /// # Errors
    /// [`Error::Module`] with the export or import that does not fit.
    pub fn from_module(name: &str, mut module: Vec<u8>) -> Result<Self, Error> {
        let bytes = name_world(&mut module)
            .and_then(|()| encode(&module))
            .map_err(|source| Error::Module {
                module: name.to_owned(),
                source,
            })?;
        Ok(Self {
            package: name.to_owned(),
            version: String::new(),
            bytes,
        })
    }

    /// SHA-256 of the bytes: the name that nodes give it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// The digest in hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::encode(self.digest())
    }

    /// Writes the component, so that a reader sees all of it or the file that was there before.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| Error::File {
                path: folder.to_owned(),
                done: "made",
                source,
            })?;
        }
        let staged = path.with_extension(format!("wasm.{}", std::process::id()));
        fs::write(&staged, &self.bytes)
            .and_then(|()| fs::rename(&staged, path))
            .map_err(|source| Error::File {
                path: path.to_owned(),
                done: "written",
                source,
            })
    }
}

fn encode(module: &[u8]) -> Result<Vec<u8>, Cause> {
    Ok(ComponentEncoder::default()
        .validate(true)
        .module(module)?
        .encode()?)
}

#[cfg(test)]
mod tests {
    //! What becomes of modules that are no plugins.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn package() -> Package {
        Package {
            name: "circles".to_owned(),
            version: "1.0.0".to_owned(),
            folder: "/nowhere".into(),
            library: "circles".to_owned(),
        }
    }

    #[test]
    fn a_module_without_a_world_is_refused_with_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("circles.wasm");
        fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
        let error = Component::encode(&package(), &module).unwrap_err();
        assert!(matches!(error, Error::World { .. }), "{error:?}");
        assert!(error.to_string().contains("export!"), "{error}");
    }

    #[test]
    fn a_module_in_another_language_is_refused_with_the_export_it_lacks() {
        let module = b"\0asm\x01\0\0\0".to_vec();
        let error = Component::from_module("circles", module).unwrap_err();
        assert!(matches!(error, Error::Module { .. }), "{error:?}");
        let cause = format!("{:?}", std::error::Error::source(&error));
        assert!(cause.contains("aureole:circuit/plugin@"), "{cause}");
    }

    #[test]
    fn a_module_that_is_not_there_is_named() {
        let error = Component::encode(&package(), Path::new("/nowhere/circles.wasm")).unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/circles.wasm could not be read");
    }

    #[test]
    fn a_component_is_written_whole_into_a_folder_that_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let component = Component {
            package: "circles".to_owned(),
            version: "1.0.0".to_owned(),
            bytes: vec![1, 2, 3],
        };
        let path = folder.path().join("deep/circles.wasm");
        component.write(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [1, 2, 3]);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert!(component.sha256().starts_with("039058c6f2c0cb49"));
    }
}

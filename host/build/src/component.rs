//! A built plugin, as it can be uploaded.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use wit_component::ComponentEncoder;

use crate::error::Error;
use crate::workspace::Package;

/// A plugin as nodes take it.
#[derive(Clone, Debug)]
pub struct Component {
    /// The package it was built from.
    pub package: String,
    /// The package's version.
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
        let world = |source: Box<dyn std::error::Error + Send + Sync>| Error::World {
            package: package.name.clone(),
            source,
        };
        // The encoder would make an empty component of it.
        if !names_world(&module) {
            return Err(world("it has no section `component-type`".into()));
        }
        let encode = || {
            ComponentEncoder::default()
                .validate(true)
                .module(&module)?
                .encode()
        };
        let bytes = encode().map_err(|source| world(source.into()))?;
        Ok(Self {
            package: package.name.clone(),
            version: package.version.clone(),
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

/// Whether a module has a section that says which world it implements, as `export!` leaves it.
/// What the SDK says of the same world without its exports is no plugin yet.
fn names_world(module: &[u8]) -> bool {
    const NO_EXPORTS: &[u8] = b"with-all-of-its-exports-removed";
    const HEADER: usize = 8;
    const CUSTOM: u8 = 0;
    let mut rest = module.get(HEADER..).unwrap_or_default();
    while let Some((kind, after)) = rest.split_first() {
        let Some((body, next)) = sized(after) else {
            return false;
        };
        if *kind == CUSTOM
            && let Some((name, _)) = sized(body)
            && name.starts_with(b"component-type")
            && !name
                .windows(NO_EXPORTS.len())
                .any(|window| window == NO_EXPORTS)
        {
            return true;
        }
        rest = next;
    }
    false
}

/// Splits what a length (LEB128) announces from what follows.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return bytes.get(at + 1..)?.split_at_checked(length);
        }
    }
    None
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
    fn the_section_that_names_a_world_is_found_behind_others() {
        let module = |sections: &[u8]| [b"\0asm\x01\0\0\0", sections].concat();
        let named = [&[0, 16, 14][..], b"component-type", &[9]].concat();
        assert!(names_world(&module(&named)));
        assert!(names_world(&module(&[&[1, 2, 0, 0][..], &named].concat())));
        let name = b"component-type:plugin-with-all-of-its-exports-removed:encoded world";
        let length = u8::try_from(name.len()).unwrap();
        let without_exports = [&[0, length + 1, length][..], name].concat();
        assert!(!names_world(&module(&without_exports)));
        assert!(names_world(&module(&[without_exports, named].concat())));
        assert!(!names_world(&module(&[0, 5, 4, b'n', b'a', b'm', b'e'])));
        // A length that leads beyond the end.
        assert!(!names_world(&module(&[1, 0x80, 0x01])));
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

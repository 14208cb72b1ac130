//! Which interfaces a component may import and must export, by name and version.
//!
//! The types of its functions are checked when it is loaded, by the engine that calls them.

use semver::Version;
use wasmparser::{ComponentExternalKind, ComponentTypeRef};

use super::ScanError;
use crate::text;

/// The released contract this host speaks. A plugin of any release that is compatible by
/// semantic versioning is accepted.
const CONTRACT: Version = Version::new(0, 1, 0);
const PLUGIN: &str = "aureole:circuit/plugin";
/// `types` holds no functions: it appears because the others use its types. One that did have
/// functions would find nothing to link to.
const IMPORTS: [&str; 2] = ["aureole:circuit/log", "aureole:circuit/types"];
/// Names shown of those that are refused.
const NAMES_SHOWN: usize = 8;

/// One import of the component itself.
pub(super) struct Import {
    /// Its name, as it stands in the file: not fit to be shown.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: ComponentTypeRef,
}

/// One export of the component itself.
pub(super) struct Export {
    /// Its name, as it stands in the file: not fit to be shown.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: ComponentExternalKind,
}

/// The contract's version as the component names it.
pub(super) fn check(imports: &[Import], exports: &[Export]) -> Result<String, ScanError> {
    let denied: Vec<String> = imports
        .iter()
        .filter(|import| !is_allowed(import))
        .map(|import| text::sanitise_to(&import.name, 128))
        .take(NAMES_SHOWN)
        .collect();
    if !denied.is_empty() {
        return Err(ScanError::ImportDenied { names: denied });
    }
    let versions: Vec<&Export> = exports
        .iter()
        .filter(|export| interface(&export.name) == PLUGIN)
        .collect();
    match versions.as_slice() {
        [] => Err(ScanError::WorldMismatch {
            detail: exported_instead(exports),
        }),
        [one] if one.kind != ComponentExternalKind::Instance => Err(ScanError::WorldMismatch {
            detail: "it is not an interface".to_owned(),
        }),
        [one] => version(&one.name)
            .map(|version| version.to_string())
            .ok_or_else(|| ScanError::WorldMismatch {
                detail: format!(
                    "it exports {}, this node speaks {CONTRACT}",
                    text::sanitise_to(&one.name, 128)
                ),
            }),
        _ => Err(ScanError::WorldMismatch {
            detail: "it exports several versions".to_owned(),
        }),
    }
}

fn is_allowed(import: &Import) -> bool {
    IMPORTS.contains(&interface(&import.name))
        && version(&import.name).is_some()
        && matches!(import.kind, ComponentTypeRef::Instance(_))
}

fn interface(name: &str) -> &str {
    name.split_once('@')
        .map_or(name, |(interface, _)| interface)
}

/// The version in a name, if this host speaks it.
fn version(name: &str) -> Option<Version> {
    let version = Version::parse(name.split_once('@')?.1).ok()?;
    let compatible = version.major == CONTRACT.major
        && version.minor == CONTRACT.minor
        && version.pre.is_empty();
    compatible.then_some(version)
}

fn exported_instead(exports: &[Export]) -> String {
    let names: Vec<String> = exports
        .iter()
        .map(|export| text::sanitise_to(&export.name, 128))
        .take(NAMES_SHOWN)
        .collect();
    if names.is_empty() {
        "it exports nothing".to_owned()
    } else {
        names.join(", ")
    }
}

//! Where a plugin's crate finds the SDK: a link in it, `.aureole-sdk`, to an Aureole checkout.
//!
//! The SDK is not on crates.io yet. A path in `Cargo.toml` would be one of this machine, and cargo
//! puts the absolute path of a package outside the workspace into the names of its symbols, so
//! that two people's components of the same source would differ. Through the link the SDK stands
//! inside the crate's folder, at the same place for everybody.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

/// The link in a plugin's folder.
pub(super) const LINK: &str = ".aureole-sdk";

/// A checkout, and the file in it that every checkout has.
const MARK: &str = "plugins/sdk/Cargo.toml";

/// Finds the checkout: what the author says, else what this program was built from.
pub(super) fn find(sdk: Option<&Path>) -> anyhow::Result<PathBuf> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    match (sdk, built_from) {
        (Some(given), _) => {
            // `plugins/sdk` itself is as good an answer.
            let checkout = given
                .ancestors()
                .take(3)
                .find(|folder| folder.join(MARK).is_file())
                .with_context(|| {
                    format!(
                        "{} is no Aureole checkout: it has no {MARK}",
                        given.display()
                    )
                })?;
            fs::canonicalize(checkout)
                .with_context(|| format!("could not read {}", checkout.display()))
        }
        (None, Some(checkout)) if checkout.join(MARK).is_file() => Ok(checkout.to_owned()),
        _ => bail!(
            "the checkout that this program was built from is gone: give --sdk PATH, the folder \
             of an Aureole checkout, where the SDK is found"
        ),
    }
}

/// Makes the link anew where a crate that needs it has none that leads anywhere.
pub(super) fn repair(folder: &Path, sdk: Option<&Path>) -> anyhow::Result<()> {
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).with_context(|| {
        format!(
            "{} is no crate: could not read its Cargo.toml",
            folder.display()
        )
    })?;
    if text.contains(LINK) && (sdk.is_some() || !folder.join(LINK).join(MARK).is_file()) {
        link(folder, &find(sdk)?)?;
    }
    Ok(())
}

/// Links a checkout into a plugin's folder, in place of an older link.
pub(super) fn link(folder: &Path, checkout: &Path) -> anyhow::Result<()> {
    let link = folder.join(LINK);
    if let Ok(found) = fs::symlink_metadata(&link) {
        ensure!(
            found.is_symlink(),
            "{} is no link: move it away, the link to the SDK stands there",
            link.display()
        );
        fs::remove_file(&link).with_context(|| format!("could not remove {}", link.display()))?;
    }
    std::os::unix::fs::symlink(checkout, &link)
        .with_context(|| format!("could not make the link {}", link.display()))
}

#[cfg(test)]
mod tests {
    //! Which folders are checkouts, and what becomes of links.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;

    fn checkout() -> PathBuf {
        find(None).unwrap()
    }

    #[test]
    fn the_checkout_and_its_sdk_folder_both_name_the_checkout() {
        let checkout = fs::canonicalize(checkout()).unwrap();
        assert_eq!(find(Some(&checkout)).unwrap(), checkout);
        assert_eq!(find(Some(&checkout.join("plugins/sdk"))).unwrap(), checkout);
    }

    #[test]
    fn a_folder_that_is_no_checkout_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = find(Some(folder.path())).unwrap_err();
        assert!(error.to_string().contains("no Aureole checkout"), "{error}");
    }

    #[test]
    fn a_link_that_leads_nowhere_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Cargo.toml"), "path = \".aureole-sdk\"").unwrap();
        link(folder.path(), Path::new("/nowhere")).unwrap();
        repair(folder.path(), None).unwrap();
        assert!(folder.path().join(LINK).join(MARK).is_file());
    }

    #[test]
    fn a_crate_that_has_the_sdk_elsewhere_gets_no_link() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Cargo.toml"), "[package]").unwrap();
        repair(folder.path(), None).unwrap();
        assert!(!folder.path().join(LINK).exists());
    }

    #[test]
    fn a_folder_in_the_links_place_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(LINK)).unwrap();
        let error = link(folder.path(), Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().contains("is no link"), "{error}");
    }
}

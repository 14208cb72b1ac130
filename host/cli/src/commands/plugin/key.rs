//! `aureole plugin key`: the keys that publishers sign components with.
//!
//! A key is a file of one line, `ed25519-secret:` and 64 hex digits, that only its owner may read.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use aureole_client::rest::ComponentSignature;
use clap::Subcommand;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use zeroize::Zeroizing;

use crate::commands::Context;
use crate::print;

/// Starts the file, and says what it is.
const PREFIX: &str = "ed25519-secret:";

/// Keys that sign components.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key; nodes are told its public half, in [plugins] trusted_signers
    New {
        /// File for the key, which must not be there yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show a key's public half
    Show {
        /// File with the key
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Makes or shows a key.
pub(super) fn run(context: &Context, verb: &Key) -> anyhow::Result<()> {
    let (file, key) = match verb {
        Key::New { file } => (file, make(file)?),
        Key::Show { file } => (file, read(file)?),
    };
    let public = hex::encode(key.verifying_key().as_bytes());
    let document = json!({"file": file, "public_key": public});
    print::result(context.output, &document, |_| {
        print::line(format_args!("public key  {public}"));
        if matches!(verb, Key::New { .. }) {
            print::line(format_args!(
                "secret key  {}: keep it, nobody can make it again",
                file.display()
            ));
            print::line(format_args!(
                "a node trusts it with:\n\n[plugins]\ntrusted_signers = [\"{public}\"]"
            ));
        }
    })
}

/// Signs a component's digest.
pub(super) fn sign(file: &Path, digest: &[u8; 32]) -> anyhow::Result<ComponentSignature> {
    let key = read(file)?;
    let message = ComponentSignature::message(digest);
    Ok(ComponentSignature {
        signer: key.verifying_key().to_bytes(),
        signature: key.sign(&message).to_bytes(),
    })
}

fn make(file: &Path) -> anyhow::Result<SigningKey> {
    let mut secret = Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *secret).context("the system gives no randomness")?;
    let shown = file.display();
    let mut created = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("could not make the file {shown}"))?;
    let line = Zeroizing::new(format!("{PREFIX}{}\n", hex::encode(*secret)));
    created
        .write_all(line.as_bytes())
        .and_then(|()| created.sync_all())
        .with_context(|| format!("could not write {shown}"))?;
    Ok(SigningKey::from_bytes(&secret))
}

fn read(file: &Path) -> anyhow::Result<SigningKey> {
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("could not read {shown}"))?;
    let text = Zeroizing::new(text);
    let mode = fs::metadata(file)
        .with_context(|| format!("could not read {shown}"))?
        .permissions()
        .mode();
    ensure!(
        mode & 0o077 == 0,
        "others may read the secret key {shown}: `chmod 600 {shown}`, or make a new one if they did"
    );
    let mut secret = Zeroizing::new([0_u8; 32]);
    text.trim()
        .strip_prefix(PREFIX)
        .and_then(|digits| hex::decode_to_slice(digits, &mut *secret).ok())
        .with_context(|| {
            format!("{shown} is no key: {PREFIX} and 64 hex digits, as `aureole plugin key new` writes it")
        })?;
    Ok(SigningKey::from_bytes(&secret))
}

#[cfg(test)]
mod tests {
    //! Keys are written once, for their owner alone, and sign what nodes verify.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::*;
    use ed25519_dalek::{Signature, VerifyingKey};

    #[test]
    fn a_signature_verifies_under_the_public_key_that_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let public = make(&file).unwrap().verifying_key();
        let signed = sign(&file, &[7; 32]).unwrap();
        assert_eq!(signed.signer, public.to_bytes());
        VerifyingKey::from_bytes(&signed.signer)
            .unwrap()
            .verify_strict(
                &ComponentSignature::message(&[7; 32]),
                &Signature::from_bytes(&signed.signature),
            )
            .unwrap();
    }

    #[test]
    fn a_key_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        make(&file).unwrap();
        assert!(
            make(&file)
                .unwrap_err()
                .to_string()
                .contains("could not make")
        );
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        make(&file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        for text in ["", "ed25519-secret:00", "0000"] {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(
                read(&file).unwrap_err().to_string().contains("is no key"),
                "{text}"
            );
        }
    }
}

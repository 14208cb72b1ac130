//! A node that takes plugins of trusted signers only.

use std::time::Duration;

use aureole_client::rest::ComponentSignature;
use aureole_tests::{Node, Options, plugin, plugin_path};

use crate::author::Author;

fn key(author: &Author, name: &str) -> anyhow::Result<String> {
    let made = author.json(&["plugin", "key", "new", name])?;
    Ok(made["public_key"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_node_with_trusted_signers_takes_theirs_and_refuses_all_others() -> anyhow::Result<()> {
    let keys = Author::new(None)?;
    let trusted = key(&keys, "trusted.key")?;
    key(&keys, "stranger.key")?;
    let node = Node::start_with(Options {
        config: format!("[plugins]\ntrusted_signers = [\"{trusted}\"]\nrequire_signature = true\n"),
        ..Options::default()
    })?;
    let author = Author::new(Some(node.url()))?;
    let file = plugin_path("preimage")?.display().to_string();
    let at = |name: &str| keys.path().join(name).display().to_string();

    let unsigned = author.run(&["plugin", "publish", &file])?;
    assert_eq!(unsigned.code, Some(1));
    assert!(
        unsigned.stderr.contains("plugin.unsigned"),
        "{}",
        unsigned.stderr
    );
    assert!(
        unsigned.stderr.contains("--key FILE"),
        "{}",
        unsigned.stderr
    );
    let stranger = author.run(&["plugin", "publish", &file, "--key", &at("stranger.key")])?;
    assert!(
        stranger.stderr.contains("plugin.signer_untrusted"),
        "{}",
        stranger.stderr
    );
    assert!(node.client()?.plugins().await?.plugins.is_empty());

    let taken = author.json(&["plugin", "publish", &file, "--key", &at("trusted.key")])?;
    assert_eq!(taken["signer"], format!("ed25519:{trusted}"), "{taken}");
    // The signature is asked for each time, of known bytes too.
    let again = author.run(&["plugin", "upload", &file])?;
    assert!(again.stderr.contains("plugin.unsigned"), "{}", again.stderr);
    Ok(())
}

#[tokio::test]
async fn a_signature_of_other_bytes_is_refused_by_every_node() -> anyhow::Result<()> {
    let node = Node::start()?;
    let forged = ComponentSignature {
        signer: [7; 32],
        signature: [7; 64],
    };
    let refused = node
        .client()?
        .publish_plugin(
            plugin("range")?.into(),
            Some(&forged),
            Duration::ZERO,
            |_, _| {},
        )
        .await
        .expect_err("a forged signature");
    let problem = refused.problem().expect("a problem");
    assert_eq!(problem.code(), "plugin.signature");
    assert!(node.client()?.plugins().await?.plugins.is_empty());
    Ok(())
}

#[test]
fn a_key_is_shown_again_and_never_written_over() -> anyhow::Result<()> {
    let author = Author::new(None)?;
    let public = key(&author, "a.key")?;
    let shown = author.json(&["plugin", "key", "show", "a.key"])?;
    assert_eq!(shown["public_key"], public);
    let again = author.run(&["plugin", "key", "new", "a.key"])?;
    assert_eq!(again.code, Some(1));
    assert_eq!(
        author.json(&["plugin", "key", "show", "a.key"])?["public_key"],
        public
    );
    Ok(())
}

//! A neighbour: another user of the node, whose proofs must not fail whatever goes on beside.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, bail, ensure};
use aureole_tests::{Node, Options, http, plugin};

/// Proves in a loop until told to stop.
pub(crate) struct Neighbour {
    stop: Arc<AtomicBool>,
    proofs: Option<JoinHandle<anyhow::Result<u32>>>,
}

/// A node with two slots and the neighbour's plugin.
pub(crate) async fn node() -> anyhow::Result<Node> {
    let node = Node::start_with(Options {
        config: "[worker]\nslots = 2\n".to_owned(),
        ..Options::default()
    })?;
    node.upload(plugin("preimage")?).await?;
    Ok(node)
}

/// The node is the one that was started, is ready, and nothing in it has panicked.
pub(crate) fn is_unharmed(node: &Node) -> anyhow::Result<()> {
    let ready = http::get(node.url(), "/health/ready")?;
    ensure!(ready.status == 200, "the node is not ready: {ready:?}");
    let log = node.log()?;
    ensure!(!log.contains("panicked"), "something panicked: {log}");
    ensure!(!log.contains('\u{1b}'), "the log has escape sequences");
    Ok(())
}

// === impl Neighbour ===

impl Neighbour {
    pub(crate) fn of(node: &Node) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, url) = (Arc::clone(&stop), node.url().to_owned());
        let proofs = thread::spawn(move || {
            let mut proofs = 0;
            while proofs == 0 || !told.load(Ordering::Relaxed) {
                let input = aureole_tests::preimage_input(proofs.into()).to_string();
                let answer = http::post_json(&url, "/api/v1/tasks/preimage?wait=60s", &input)?;
                let task = answer.json()?;
                if answer.status != 200 || task["state"] != "done" {
                    bail!("the neighbour's proof {proofs}: {} {task}", answer.status);
                }
                proofs += 1;
            }
            Ok(proofs)
        });
        Self {
            stop,
            proofs: Some(proofs),
        }
    }

    /// How many proofs were made; all of them were good.
    pub(crate) fn done(mut self) -> anyhow::Result<u32> {
        self.stop.store(true, Ordering::Relaxed);
        let proofs = self.proofs.take().context("it is done once")?;
        match proofs.join() {
            Ok(proofs) => proofs,
            Err(_) => bail!("the neighbour's thread panicked"),
        }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

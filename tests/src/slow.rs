//! A proof that takes seconds on any machine, to be seen running and stopped.

use std::time::Duration;

use anyhow::ensure;
use aureole_client::rest::{Circuit, Stage, Task};
use serde_json::json;

use crate::{
    node::{Node, Options},
    place::{fixture, plugin},
    wait::eventually,
};

/// With one thread a proof of this size takes three seconds or more, however many cores there are.
const K: u32 = 13;

/// A node that is busy with a slow proof; its only slot is taken.
#[derive(Debug)]
pub struct Busy {
    /// The node; it has the plugins `workload` and `preimage`.
    pub node: Node,
    /// The slow circuit.
    pub circuit: Circuit,
    /// The task, as it was when its proof began.
    pub task: Task,
}

// === impl Busy ===

impl Busy {
    /// Starts a node with these further keys in the section `worker` of its configuration, and
    /// waits until it proves.
    ///
    /// # Errors
    /// As [`Node::start`], and when the proof ends before it was seen.
    pub async fn proving(worker: &str) -> anyhow::Result<Self> {
        let config = format!("[worker]\nthreads = 1\n{worker}\n");
        let node = Node::start_with(Options {
            config,
            ..Options::default()
        })?;
        Self::on(node).await
    }

    /// Makes a node busy.
    ///
    /// # Errors
    /// As [`Busy::proving`].
    pub async fn on(node: Node) -> anyhow::Result<Self> {
        node.upload(fixture("workload")?).await?;
        node.upload(plugin("preimage")?).await?;
        let circuit = node.circuit("workload", json!({"k": K})).await?;
        let submitted = node.submit(&circuit.id, json!({"start": 3})).await?;
        let client = node.client()?;
        let task = eventually("the proof's beginning", || async {
            let task = client.task(&submitted.id, Duration::ZERO).await?;
            ensure!(
                !task.state.is_final(),
                "the slow task ended before it was seen: {task:?}"
            );
            Ok((task.stage == Some(Stage::Prove)).then_some(task))
        })
        .await?;
        Ok(Self {
            node,
            circuit,
            task,
        })
    }
}

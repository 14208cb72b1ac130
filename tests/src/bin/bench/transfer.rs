//! `transfer N`: 32 MiB of a witness from the plugin in its child process to the child process that
//! proves, over one copy of them.
//!
//! The way is a node's own, through real children: out of the plugin's memory, encoded, through a pipe
//! to the node, through another to the prover, decoded there. Two plugins of a few instructions fill the
//! same memory; one gives it away, the other a witness of a row. The prover is asked to check what came
//! against a circuit of another shape, which it refuses without looking at a value: what remains of the
//! difference between the two plugins is the way of 32 MiB. The copy is one `memcpy` into memory that is
//! there already.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use aureole_handmade::{Parts, multiply};
use aureole_store::{Depot, Digest, Secret};
use aureole_tests::{binary, params_dir};
use aureole_worker::{ChildCommand, Error, Provers, ProversConfig, Sandboxes, SandboxesConfig};
use serde_json::{Value, json};

use crate::figures::{median, rounded};

/// Bytes of the witness: of a circuit with k = 14 and 64 columns.
const BYTES: usize = 32 << 20;

/// Rounds that are not counted.
const WARM_UP: u32 = 2;

/// A sandbox child, a prover child, and who speaks to both.
struct House {
    depot: Depot,
    sandboxes: Sandboxes,
    provers: Provers,
    /// Known to the prover; no witness here has its shape.
    circuit: Digest,
}

pub(crate) async fn run(rounds: u32) -> anyhow::Result<Value> {
    let folder = tempfile::tempdir()?;
    let house = House::open(folder.path()).await?;
    let fills =
        "(memory.fill (i32.const 131072) (i32.const 1) (i32.const 33554432)) i32.const 1920";
    let keeps = Parts {
        memory: "(memory (export \"memory\") 514)",
        witness: fills,
        ..Parts::default()
    };
    // Where its values stand and how many bytes they have: 32 MiB from the third page on.
    let gives = Parts {
        data: r#"(data (i32.const 1932) "\00\00\02\00\00\00\00\02")"#,
        ..keeps
    };
    let keeps = house.compiled(&keeps).await?;
    let gives = house.compiled(&gives).await?;
    let source = vec![1_u8; BYTES];
    let mut target = vec![2_u8; BYTES];
    let (mut small, mut large, mut copies) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..WARM_UP + rounds {
        let (without, little) = house.transfer(&keeps).await?;
        let (with, much) = house.transfer(&gives).await?;
        ensure!(
            little < 1 << 16 && much >= BYTES,
            "the witnesses have {little} and {much} bytes"
        );
        let begun = Instant::now();
        std::hint::black_box(&mut target).copy_from_slice(std::hint::black_box(&source));
        let copy = begun.elapsed();
        if round >= WARM_UP {
            small.push(millis(without));
            large.push(millis(with));
            copies.push(millis(copy));
        }
    }
    let (transfer, copy) = (median(&large)? - median(&small)?, median(&copies)?);
    println!(
        "32 MiB from the sandbox child to the prover child {transfer:.1} ms, a copy of them {copy:.1} ms"
    );
    let ratio = rounded(transfer / copy);
    Ok(json!({
        "bench": "transfer",
        "rounds": rounds,
        "bytes": BYTES,
        "transfer_ms": rounded(transfer),
        "copy_ms": rounded(copy),
        "transfer_over_copy": ratio,
        "ratio": ratio,
    }))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

// === impl House ===

impl House {
    async fn open(folder: &Path) -> anyhow::Result<Self> {
        let command = ChildCommand {
            program: binary()?,
            args: vec!["child".to_owned()],
        };
        let depot = Depot::open(&folder.join("depot"))?;
        let config = SandboxesConfig::new(command.clone(), folder.join("code"));
        let sandboxes = Sandboxes::new(config, depot.clone().into())?;
        let proving = ProversConfig::new(command, params_dir()?, 1);
        let provers = Provers::new(proving, depot.clone().into());
        tokio::try_join!(sandboxes.fill(), provers.fill())?;
        let circuit = multiply().0.encode();
        provers.prepare(&circuit).await?;
        Ok(Self {
            depot,
            sandboxes,
            provers,
            circuit: Digest::of(&circuit),
        })
    }

    async fn compiled(&self, plugin: &Parts<'_>) -> anyhow::Result<Digest> {
        let component = self.depot.put(plugin.build()).await?;
        self.sandboxes.compile(&component).await?;
        Ok(component)
    }

    /// Has a witness made and brought to the prover, as an attempt does; returns the time until the
    /// prover has seen its shape, and how many bytes went through the pipes.
    async fn transfer(&self, plugin: &Digest) -> anyhow::Result<(Duration, usize)> {
        let mut session = self.provers.open(&self.circuit).await?;
        let input = Secret::new(b"{}".to_vec());
        let begun = Instant::now();
        let witness = self.sandboxes.witness(plugin, b"{}", &input).await?.value;
        let answer = session.check(&witness).await;
        let took = begun.elapsed();
        ensure!(
            matches!(answer, Err(Error::Refused(_))),
            "the prover did not refuse a witness of another shape"
        );
        Ok((took, witness.expose().len()))
    }
}

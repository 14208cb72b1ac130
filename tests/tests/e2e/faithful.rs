//! The platform's keys and proofs are stock halo2's: for each first-party plugin, the component in
//! the sandbox and the author's code run natively give one circuit, one key, and proofs that
//! either side takes. The plugin in C is held against its circuit in Rust.

use aureole_client::rest::{Circuit, Elements, Task, TaskRequest, Verdict, VerifyRequest};
use aureole_merkle::Merkle;
use aureole_preimage::Preimage;
use aureole_prover::{Halo2Ipa, ParamsDir};
use aureole_range::Range;
use aureole_sdk::Plugin;
use aureole_tests::{Native, Node, merkle_input, params_dir, preimage_input, range_input};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::cubic::Cubic;

/// A circuit on the node beside the same one in stock halo2.
struct Pair<P: Plugin> {
    node: std::sync::Arc<Node>,
    circuit: Circuit,
    native: Native<P>,
    params: Value,
    input: Value,
}

impl<P: Plugin> Pair<P> {
    async fn new(params: Value, input: Value) -> anyhow::Result<Self> {
        let node = Node::shared().await?;
        let circuit = node.circuit(P::NAME, params.clone()).await?;
        let shape = circuit.shape.as_ref();
        let k = shape.map(|shape| shape.k).unwrap_or_default();
        let native = Native::new(&params, k)?;
        Ok(Self {
            node,
            circuit,
            native,
            params,
            input,
        })
    }

    async fn task(&self) -> anyhow::Result<Task> {
        let request = TaskRequest {
            circuit: Some(self.circuit.id.clone()),
            input: self.input.clone(),
            ..TaskRequest::default()
        };
        let task = self.node.client()?.submit(&request).await?;
        self.node.done(&task.id).await
    }

    async fn verdict(&self, task: &Task, proof: &[u8]) -> anyhow::Result<Verdict> {
        let public_inputs = task.public_inputs.clone().unwrap_or_default();
        self.verdict_on(public_inputs, proof).await
    }

    async fn verdict_on(
        &self,
        public_inputs: aureole_client::rest::PublicInputs,
        proof: &[u8],
    ) -> anyhow::Result<Verdict> {
        let request = VerifyRequest {
            circuit: self.circuit.id.clone(),
            public_inputs,
            proof: STANDARD.encode(proof),
        };
        Ok(self.node.client()?.verify(&request).await?)
    }

    /// Digests and keys of both sides are one.
    async fn keys_are_equal(&self) -> anyhow::Result<()> {
        let recorded = Native::<P>::recorded(&self.params)?;
        assert_eq!(
            self.circuit.circuit_digest,
            Some(recorded.digest().to_string())
        );
        let downloaded = self.node.client()?.circuit_ir(&self.circuit.id).await?;
        assert_eq!(downloaded, recorded.encode());
        let checked = recorded.check(&aureole_ir::Limits::default())?;
        let prover = Halo2Ipa::new(ParamsDir::open(params_dir()?)?, 0);
        let rebuilt = prover.verifying(&checked)?;
        assert_eq!(
            self.circuit.key_digest,
            Some(rebuilt.key_digest().to_string())
        );
        assert_eq!(self.circuit.proof_bytes, Some(rebuilt.proof_bytes()));
        assert!(
            rebuilt.pinned() == self.native.pinned(),
            "the verifying keys differ"
        );
        Ok(())
    }

    /// A proof of either side is taken by the other.
    async fn proofs_are_exchangeable(&self) -> anyhow::Result<()> {
        let task = self.task().await?;
        let proof = self.node.client()?.proof(&task.id).await?;
        let instance = self
            .native
            .instance(task.public_inputs.as_ref().unwrap_or(&Default::default()))?;
        let (circuit, expected) = self.native.assign(&self.input)?;
        assert_eq!(instance, expected, "the public inputs are not the author's");
        assert!(
            self.native.verifies(&instance, &proof),
            "stock halo2 refuses the platform's proof"
        );
        let native_proof = self.native.prove(circuit, &expected)?;
        assert_eq!(native_proof.len(), proof.len());
        let verdict = self.verdict(&task, &native_proof).await?;
        assert!(
            verdict.valid,
            "the platform refuses stock halo2's proof: {verdict:?}"
        );
        Ok(())
    }

    /// Any change to a proof or its public inputs is refused.
    async fn changes_are_refused(&self) -> anyhow::Result<()> {
        let task = self.task().await?;
        let proof = self.node.client()?.proof(&task.id).await?.to_vec();
        assert!(self.verdict(&task, &proof).await?.valid);
        for position in [
            0,
            31,
            proof.len() / 3,
            proof.len() / 2,
            proof.len() - 33,
            proof.len() - 1,
        ] {
            let mut flipped = proof.clone();
            flipped[position] ^= 1;
            let verdict = self.verdict(&task, &flipped).await?;
            assert!(
                !verdict.valid,
                "a proof with a flipped bit in byte {position} is taken"
            );
        }
        let mut longer = proof.clone();
        longer.push(0);
        for other in [&longer[..], &proof[..proof.len() - 1], &[]] {
            let verdict = self.verdict(&task, other).await?;
            let reason = verdict.reason.unwrap_or_default();
            assert!(
                !verdict.valid && reason.contains(&proof.len().to_string()),
                "{reason}"
            );
        }
        self.changed_public_inputs_are_refused(&task, &proof).await
    }

    async fn changed_public_inputs_are_refused(
        &self,
        task: &Task,
        proof: &[u8],
    ) -> anyhow::Result<()> {
        let shown = task.public_inputs.clone().unwrap_or_default();
        for (name, elements) in &shown {
            for row in 0..elements.texts().len() {
                let mut texts = elements.texts().to_vec();
                texts[row] = flipped(&texts[row]);
                let mut changed = shown.clone();
                changed.insert(name.clone(), Elements::Many(texts));
                let verdict = self.verdict_on(changed, proof).await?;
                assert!(!verdict.valid, "a proof for another {name} is taken");
            }
            let mut missing = shown.clone();
            missing.remove(name);
            let mut longer = shown.clone();
            let texts = [elements.texts(), &[format!("0x{:064x}", 0)]].concat();
            longer.insert(name.clone(), Elements::Many(texts));
            let mut unknown = shown.clone();
            unknown.insert("extra".to_owned(), Elements::One(format!("0x{:064x}", 0)));
            for wrong in [missing, longer, unknown] {
                let error = self
                    .verdict_on(wrong, proof)
                    .await
                    .expect_err("it is taken");
                assert!(
                    error.to_string().starts_with("public_inputs.length"),
                    "{error}"
                );
            }
        }
        Ok(())
    }
}

/// The same element with its lowest bit flipped.
fn flipped(text: &str) -> String {
    let (head, last) = text.split_at(text.len() - 1);
    let digit = u8::from_str_radix(last, 16).unwrap_or_default() ^ 1;
    format!("{head}{digit:x}")
}

fn merkle_of_depth_three() -> (Value, Value) {
    let leaf = |digit: &str| format!("0x{}", digit.repeat(64));
    (
        json!({"depth": 3, "public_leaf": true, "public_index": true}),
        json!({"leaves": [leaf("f"), leaf("0"), leaf("1")], "leaf_index": 2}),
    )
}

macro_rules! faithful {
    ($name:ident, $plugin:ty, $document:expr) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn has_the_key_of_stock_halo2() -> anyhow::Result<()> {
                let (params, input) = $document;
                Pair::<$plugin>::new(params, input)
                    .await?
                    .keys_are_equal()
                    .await
            }

            #[tokio::test]
            async fn exchanges_proofs_with_stock_halo2() -> anyhow::Result<()> {
                let (params, input) = $document;
                Pair::<$plugin>::new(params, input)
                    .await?
                    .proofs_are_exchangeable()
                    .await
            }

            #[tokio::test]
            async fn refuses_any_change() -> anyhow::Result<()> {
                let (params, input) = $document;
                Pair::<$plugin>::new(params, input)
                    .await?
                    .changes_are_refused()
                    .await
            }
        }
    };
}

faithful!(merkle, Merkle, (json!({"depth": 16}), merkle_input()));
faithful!(
    merkle_with_everything_public,
    Merkle,
    merkle_of_depth_three()
);
faithful!(
    cubic_in_c,
    Cubic,
    (json!({"constant": 7}), crate::cubic::input())
);
faithful!(preimage, Preimage, (json!({}), preimage_input(7)));
faithful!(range, Range, (json!({"bits": 64}), range_input()));
faithful!(
    range_of_ten_bits,
    Range,
    (json!({"bits": 10}), range_input())
);

#[tokio::test]
async fn the_default_circuit_is_the_one_of_the_default_parameters() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    for name in ["cubic-c", "merkle", "preimage", "range"] {
        let plugin = node
            .client()?
            .plugin(name, std::time::Duration::ZERO)
            .await?;
        let circuit = node
            .circuit(name, plugin.default_params.clone().unwrap_or_default())
            .await?;
        assert_eq!(plugin.default_circuit, Some(circuit.id));
    }
    Ok(())
}

#[tokio::test]
async fn two_proofs_of_one_input_share_no_bytes_that_could_tell() -> anyhow::Result<()> {
    let node = Node::shared().await?;
    let client = node.client()?;
    let mut proofs = Vec::new();
    for _ in 0..2 {
        let task = client.submit_to("preimage", &preimage_input(7)).await?;
        let task = node.done(&task.id).await?;
        proofs.push(client.proof(&task.id).await?);
    }
    // A proof is commitments and scalars of 32 bytes each; all of them are blinded.
    let elements = |proof: &[u8]| -> std::collections::BTreeSet<Vec<u8>> {
        proof.chunks(32).map(<[u8]>::to_vec).collect()
    };
    let shared: Vec<_> = elements(&proofs[0])
        .intersection(&elements(&proofs[1]))
        .cloned()
        .collect();
    assert!(shared.is_empty(), "both proofs hold {shared:?}");
    Ok(())
}

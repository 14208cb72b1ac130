//! Bundles verified by a node, under the keys that it has.
//!
//! A bundle names its circuit by digest, a node by id: the node's circuit is looked up by what the
//! bundle says of its plugin, or what the caller says, and must have the bundle's very bytes.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use aureole_client::Client;
use aureole_client::rest::{
    BATCH_PROOFS_MAX, Circuit, Elements, ProofClaim, PublicInputs, Verdict, VerifyBatchRequest,
    VerifyRequest,
};
use aureole_receipts::Digest;
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{Judged, check_key};
use crate::arguments::Verify;
use crate::bundle::{Bundle, Manifest};
use crate::commands::{Context, circuit};
use crate::progress;

/// What is asked of the node, by circuit: the places of the bundles, and their proofs.
type Claims = BTreeMap<String, Vec<(usize, ProofClaim)>>;

/// Has the node verify; proofs of one circuit go together.
pub(super) async fn judge(
    context: &Context,
    options: &Verify,
    bundles: Vec<Bundle>,
) -> anyhow::Result<Vec<Judged>> {
    let client = context.client()?;
    let mut circuits: BTreeMap<String, Circuit> = BTreeMap::new();
    let (mut claims, mut manifests) = (Claims::new(), Vec::new());
    for (place, bundle) in bundles.into_iter().enumerate() {
        let manifest = bundle.manifest;
        let name = options.circuit.as_deref().unwrap_or(&manifest.plugin);
        if !circuits.contains_key(name) {
            let found = circuit::ready(context, name, None).await?;
            circuits.insert(name.to_owned(), found);
        }
        let circuit = circuits.get(name).context("the circuit was just found")?;
        check_circuit(circuit, name, &manifest, &bundle.circuit)?;
        check_key(&manifest.key_digest, options.key.as_deref())?;
        let claim = ProofClaim {
            public_inputs: public_inputs(&manifest),
            proof: BASE64_STANDARD.encode(&bundle.proof),
        };
        let of_circuit = claims.entry(circuit.id.clone()).or_default();
        of_circuit.push((place, claim));
        manifests.push(manifest);
    }
    let spinner = progress::spinner(context.output, "verifying on the node");
    let verdicts = ask(&client, claims).await?;
    spinner.finish_and_clear();
    let judged = manifests.into_iter().enumerate().map(|(place, manifest)| {
        let verdict = verdicts.get(&place);
        let verdict = verdict.context("the node gave fewer verdicts than it was asked for")?;
        Ok(Judged {
            valid: verdict.valid,
            revoked: verdict.revoked.clone(),
            reason: verdict.reason.clone(),
            plugin: manifest.plugin,
            key_digest: manifest.key_digest,
            public_inputs: manifest.public_inputs,
        })
    });
    judged.collect()
}

/// The verdicts by the places of the bundles.
async fn ask(client: &Client, claims: Claims) -> anyhow::Result<BTreeMap<usize, Verdict>> {
    let mut verdicts = BTreeMap::new();
    for (circuit, claims) in claims {
        for together in claims.chunks(BATCH_PROOFS_MAX as usize) {
            let told = match together {
                [(_, claim)] => {
                    let request = VerifyRequest {
                        circuit: circuit.clone(),
                        public_inputs: claim.public_inputs.clone(),
                        proof: claim.proof.clone(),
                    };
                    vec![client.verify(&request).await?]
                }
                claims => {
                    let request = VerifyBatchRequest {
                        circuit: circuit.clone(),
                        proofs: claims.iter().map(|(_, claim)| claim.clone()).collect(),
                    };
                    client.verify_batch(&request).await?.verdicts
                }
            };
            verdicts.extend(together.iter().map(|(place, _)| *place).zip(told));
        }
    }
    Ok(verdicts)
}

/// Refuses a circuit of the node that is not the bundle's, byte for byte, under the same key.
fn check_circuit(
    circuit: &Circuit,
    name: &str,
    manifest: &Manifest,
    bytes: &[u8],
) -> anyhow::Result<()> {
    let digest = Digest::of(bytes).to_string();
    ensure!(
        digest == manifest.circuit_digest,
        "circuit.bin has the digest {digest}, bundle.json says {}",
        manifest.circuit_digest.escape_debug()
    );
    let has = circuit.circuit_digest.as_deref().unwrap_or("none");
    ensure!(
        has == digest,
        "the node's circuit of `{}` has the digest {has}, the bundle's {digest}: name the circuit \
         with --circuit",
        name.escape_debug()
    );
    let key = circuit.key_digest.as_deref().unwrap_or("none");
    ensure!(
        key == manifest.key_digest,
        "the node's key of the circuit is {key}, bundle.json says {}",
        manifest.key_digest.escape_debug()
    );
    Ok(())
}

/// The public inputs as the API writes them.
fn public_inputs(manifest: &Manifest) -> PublicInputs {
    let named = manifest.public_inputs.iter().map(|(name, values)| {
        let elements = match values.as_slice() {
            [one] => Elements::One(one.clone()),
            many => Elements::Many(many.to_vec()),
        };
        (name.clone(), elements)
    });
    named.collect()
}

//! A verification bundle: a folder that proves a statement to anyone, with no node.
//!
//! | file | what |
//! |---|---|
//! | `bundle.json` | format, digests, public inputs by name |
//! | `circuit.bin` | the circuit's canonical bytes |
//! | `proof.bin` | the proof |
//!
//! Whoever reads a bundle trusts none of it: the key is rebuilt from the circuit, and the digests
//! are computed anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use aureole_client::rest::Revocation;
use aureole_ir::{Circuit, FieldElement};
use serde::{Deserialize, Serialize};

/// Names the format; a reader refuses any other.
const FORMAT: &str = "aureole-bundle/1";
/// A circuit of the largest k a node accepts by default stays below this; a larger file is no
/// bundle of ours.
const CIRCUIT_BYTES_MAX: u64 = 256 << 20;
/// halo2 proofs of such circuits are a few kilobytes.
const PROOF_BYTES_MAX: u64 = 1 << 20;
/// Public inputs in hex, with room to spare.
const MANIFEST_BYTES_MAX: u64 = 16 << 20;

/// What `bundle.json` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) format: String,
    /// Name and version of the plugin, for people.
    pub(crate) plugin: String,
    pub(crate) circuit_digest: String,
    pub(crate) key_digest: String,
    /// Field elements by name, `0x` and 64 hex digits each, in the circuit's order.
    pub(crate) public_inputs: BTreeMap<String, Vec<String>>,
    /// That the key was revoked when the bundle was made. A reader that does not know the field
    /// refuses the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revoked: Option<Revocation>,
}

/// A bundle in memory.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub(crate) manifest: Manifest,
    pub(crate) circuit: Vec<u8>,
    pub(crate) proof: Vec<u8>,
}

// === impl Manifest ===

impl Manifest {
    /// A manifest of the current format.
    pub(crate) fn new(
        plugin: String,
        circuit_digest: String,
        key_digest: String,
        public_inputs: BTreeMap<String, Vec<String>>,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            plugin,
            circuit_digest,
            key_digest,
            public_inputs,
            revoked: None,
        }
    }

    /// The public inputs as the prover takes them: 32 bytes each, in the circuit's order.
    ///
    /// # Errors
    /// A name that is missing, superfluous, of the wrong length or no field element.
    pub(crate) fn flat_public_inputs(&self, circuit: &Circuit) -> anyhow::Result<Vec<u8>> {
        let known = |name: &String| {
            circuit
                .public_inputs
                .iter()
                .any(|input| input.name == *name)
        };
        if let Some(name) = self.public_inputs.keys().find(|name| !known(name)) {
            bail!("the bundle gives a public input `{name}` that its circuit does not have");
        }
        let mut flat = Vec::new();
        for input in &circuit.public_inputs {
            let name = &input.name;
            let values = self
                .public_inputs
                .get(name)
                .with_context(|| format!("the bundle lacks the public input `{name}`"))?;
            ensure!(
                u32::try_from(values.len()) == Ok(input.rows),
                "public input `{name}` has {} elements, its circuit wants {}",
                values.len(),
                input.rows
            );
            for (row, value) in values.iter().enumerate() {
                let element = FieldElement::from_hex(value)
                    .filter(|element| element.is_canonical(circuit.field))
                    .with_context(|| format!("public input `{name}`, element {row}, is no field element: 0x and 64 hex digits below the modulus"))?;
                flat.extend_from_slice(&element.0);
            }
        }
        Ok(flat)
    }
}

/// Public inputs by name from the flat form, as a manifest holds them.
pub(crate) fn named_public_inputs(circuit: &Circuit, flat: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut elements = flat
        .as_chunks::<32>()
        .0
        .iter()
        .map(|bytes| FieldElement(*bytes).to_hex());
    circuit
        .public_inputs
        .iter()
        .map(|input| {
            (
                input.name.clone(),
                elements.by_ref().take(input.rows as usize).collect(),
            )
        })
        .collect()
}

// === impl Bundle ===

impl Bundle {
    /// Writes the bundle's files into a folder, which is made if it is not there.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder)
            .with_context(|| format!("could not make the folder {}", folder.display()))?;
        let manifest = serde_json::to_vec_pretty(&self.manifest)?;
        for (name, bytes) in [
            ("bundle.json", &manifest),
            ("circuit.bin", &self.circuit),
            ("proof.bin", &self.proof),
        ] {
            let path = folder.join(name);
            fs::write(&path, bytes)
                .with_context(|| format!("could not write {}", path.display()))?;
        }
        Ok(())
    }

    /// Reads a bundle; nothing in it is checked yet but the format and the files' sizes.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let manifest = read_bounded(&folder.join("bundle.json"), MANIFEST_BYTES_MAX)?;
        let manifest: Manifest = serde_json::from_slice(&manifest)
            .with_context(|| format!("{} is no bundle", folder.join("bundle.json").display()))?;
        ensure!(
            manifest.format == FORMAT,
            "the bundle's format is `{}`; this version reads `{FORMAT}`",
            manifest.format.escape_debug()
        );
        Ok(Self {
            manifest,
            circuit: read_bounded(&folder.join("circuit.bin"), CIRCUIT_BYTES_MAX)?,
            proof: read_bounded(&folder.join("proof.bin"), PROOF_BYTES_MAX)?,
        })
    }
}

fn read_bounded(path: &Path, bytes_max: u64) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let bytes = fs::metadata(path)
        .with_context(|| format!("could not read {shown}"))?
        .len();
    ensure!(
        bytes <= bytes_max,
        "{shown} has {bytes} bytes, more than a bundle's {bytes_max}"
    );
    fs::read(path).with_context(|| format!("could not read {shown}"))
}

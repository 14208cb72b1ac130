//! What a node and its child processes say to each other.
//!
//! One request is answered by any number of [`Reply::Stage`] and one other reply. Large things
//! travel as byte strings behind the header, in the order each variant names.

use std::path::PathBuf;

use aureole_prover::{Unsatisfied, Values, Verdict};
use aureole_runtime::Description;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// What a child is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// The first message of every child. Reply: [`Reply::Ready`].
    Start(Start),
    /// Compile child: scan and compile. Blobs: component. Reply: [`Reply::Compiled`].
    Compile,
    /// Sandbox child: what the plugin says of itself. Reply: [`Reply::Described`].
    Describe { component: Key },
    /// Sandbox child: the circuit. Blobs: parameters. Reply: [`Reply::Made`].
    Circuit { component: Key },
    /// Sandbox child: the regions' names. Blobs: parameters. Reply: [`Reply::Made`].
    Annotate { component: Key },
    /// Sandbox child: a witness. Blobs: parameters, input. Reply: [`Reply::Made`].
    Witness { component: Key },
    /// Prover child: keys of a circuit, and what is known of it. Blobs: none, or the circuit's
    /// canonical bytes. Replies: [`Reply::Usage`], [`Reply::Prepared`].
    Prepare {
        circuit: Key,
        proving: bool,
        /// No more than the child's; 0 is all of them.
        threads: u32,
    },
    /// Prover child: check the witness, then prove. Blobs: witness. Replies: [`Reply::Usage`],
    /// [`Reply::Proved`].
    Prove {
        circuit: Key,
        /// As in `Prepare`.
        threads: u32,
    },
    /// Prover child: only check. Blobs: witness. Reply: [`Reply::Checked`].
    Check { circuit: Key },
    /// Prover child: check, and say by name what fails, with what cells hold only where that was
    /// asked for. Blobs: annotations, witness. Reply: [`Reply::Checked`] or
    /// [`Reply::Unsatisfied`].
    Diagnose { circuit: Key, values: Values },
    /// Prover child. Blobs: public inputs and proof, alternating. Reply: [`Reply::Verdicts`].
    Verify { circuit: Key },
    /// Prover child: generate the parameters that are missing on disk. Replies:
    /// [`Reply::Params`] for each k that was generated, then [`Reply::Done`].
    GenerateParams { k_min: u32, k_max: u32 },
}

/// What a child answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// The child is set up.
    Ready,
    /// The work has reached a stage; more follows.
    Stage(Stage),
    /// Parameters of this k were generated; more follows.
    Params { k: u32 },
    /// What the work took and left behind; more follows.
    Usage(Usage),
    /// Done, and nothing to tell.
    Done,
    /// The component's compiled code is not in the cache.
    NeedCode,
    /// The circuit is not known here: send its bytes with [`Request::Prepare`].
    NeedCircuit,
    /// The plugin, the parameters, the circuit or the input is to blame.
    Refused(Problem),
    /// The node is to blame; another attempt may end differently.
    Failed { detail: String },
    /// Blobs: compiled code.
    Compiled { micros: u64 },
    /// What the plugin says of itself.
    Described {
        description: Box<Description>,
        log: Vec<String>,
        micros: u64,
    },
    /// Blobs: canonical bytes of a circuit, annotations or a witness.
    Made { log: Vec<String>, micros: u64 },
    /// Keys are warm.
    Prepared(Box<Prepared>),
    /// Blobs: proof, public inputs.
    Proved {
        check_micros: u64,
        keygen_micros: u64,
        prove_micros: u64,
    },
    /// The witness satisfies the circuit.
    Checked { micros: u64 },
    /// The witness does not satisfy the circuit.
    Unsatisfied(Box<Unsatisfied>),
    /// One for each proof.
    Verdicts { verdicts: Vec<Verdict>, micros: u64 },
}

/// What a prover took for a piece of work, and what it keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// The most bytes that were resident at a time since the work began; 0 where the system does
    /// not tell.
    pub(crate) peak_bytes: u64,
    /// Circuits whose proving keys are in memory.
    pub(crate) warm: Vec<Key>,
    /// Bytes of those keys.
    pub(crate) warm_bytes: u64,
}

/// A digest as hex, the key of a child's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) [u8; 32]);

/// A part of the work, for progress and timings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Component to machine code.
    Compile,
    /// Describing the plugin and recording its circuit.
    Inspect,
    /// Making the keys.
    Keygen,
    /// The plugin computing its witness.
    Witness,
    /// Checking the witness row by row.
    Check,
    /// Proving.
    Prove,
}

/// How a child sets itself up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    /// Address space it may use.
    pub(crate) memory_bytes: u64,
    /// Processor time it may use; one-shot children only.
    pub(crate) cpu_seconds: Option<u64>,
    /// Added to its parent's niceness, by the parent.
    pub(crate) nice: i32,
    /// What it is.
    pub(crate) role: Role,
}

/// What a child is, with what only that child needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Scans and compiles one component.
    Compile { limits: aureole_runtime::Limits },
    /// Runs plugins.
    Sandbox {
        limits: aureole_runtime::Limits,
        code_dir: PathBuf,
    },
    /// Makes keys, proofs and verdicts.
    Prover {
        params_dir: PathBuf,
        threads: u32,
        key_cache_bytes: u64,
        limits: CircuitLimits,
    },
}

/// The limits of circuits that an operator may set; the others are the IR's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitLimits {
    /// The largest k.
    pub k_max: u32,
    /// Most bytes that a circuit's keys may take, as estimated before they are made.
    pub key_bytes_max: u64,
    /// Most bytes that one proof may take on top, as estimated.
    pub prove_bytes_max: u64,
    /// Bytes that parameters, keys and a proof have together: what the worker has.
    pub memory_bytes: u64,
}

/// What is known of a circuit once its keys were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// SHA-256 of the circuit's canonical bytes, in hex.
    pub circuit_digest: String,
    /// Identity of the verifying key, in hex.
    pub key_digest: String,
    /// The circuit has 2^k rows.
    pub k: u32,
    /// Exact length of every proof.
    pub proof_bytes: u32,
    /// The report that is shown of the circuit: digests, shape, gates, public inputs, estimate.
    pub report: serde_json::Value,
    /// Microseconds that making the keys took; near zero when they were warm.
    pub keygen_micros: u64,
    /// The most bytes that the process had resident meanwhile; 0 where the system does not tell.
    pub peak_bytes: u64,
    /// Memory that one proof takes with its parameters and keys, predicted from the shape.
    pub memory_bytes: u64,
    /// Terms of one proof's multiexponentiations, predicted from the shape.
    pub work: u64,
}

// === impl Key ===

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

// === impl CircuitLimits ===

impl Default for CircuitLimits {
    fn default() -> Self {
        Self {
            k_max: aureole_ir::Limits::default().k_max,
            // A k = 14 key with 40 columns and gates of degree 9 takes 330 MB.
            key_bytes_max: 2 << 30,
            prove_bytes_max: 4 << 30,
            memory_bytes: u64::MAX,
        }
    }
}

// === impl Stage ===

impl Stage {
    /// The stage's name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compile => "compile",
            Self::Inspect => "inspect",
            Self::Keygen => "keygen",
            Self::Witness => "witness",
            Self::Check => "check",
            Self::Prove => "prove",
        }
    }
}

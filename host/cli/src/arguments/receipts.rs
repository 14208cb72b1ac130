//! `aureole receipts`, `verifying-key` and `worker`, as clap reads them.

use std::path::PathBuf;

use clap::Subcommand;

/// Receipts of accepted proofs, and the log that they are in.
#[derive(Debug, Subcommand)]
pub(crate) enum Receipts {
    /// Fetch the receipt of a task's proof
    Show {
        /// Task id (tsk_...)
        id: String,
        /// File for it; standard output unless given
        #[arg(short = 'o', long = "out", value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Check a receipt with no node and no network; exits 1 if it does not hold
    Verify {
        /// File of the receipt
        file: PathBuf,
        /// The log's key, as `aureole receipts key` shows it
        #[arg(long, value_name = "VKEY", required = true)]
        key: Vec<String>,
        /// A verification bundle that the receipt must be of
        #[arg(long, value_name = "DIR")]
        bundle: Option<PathBuf>,
    },
    /// Read a whole log, every leaf against its tiles and the signed root; exits 1 if anything is off
    Audit {
        /// A folder with a log, as coordinators keep it in `receipts`; the node's log unless given
        folder: Option<PathBuf>,
        /// The log's key
        #[arg(long, value_name = "VKEY", required = true)]
        key: Vec<String>,
        /// A checkpoint kept from before: a history rewritten since is found by it
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
        /// Where to keep the checkpoint, if all is well, for the next time
        #[arg(long, value_name = "FILE")]
        keep: Option<PathBuf>,
    },
    /// Have the node prove that its log continues a checkpoint kept from before
    Consistency {
        /// File of the earlier checkpoint
        checkpoint: PathBuf,
        /// The log's key
        #[arg(long, value_name = "VKEY", required = true)]
        key: Vec<String>,
        /// Where to keep the newer checkpoint, if it does
        #[arg(long, value_name = "FILE")]
        keep: Option<PathBuf>,
    },
    /// Have the node prove that its log, as it is now, has the leaf of a receipt; exits 1 if not
    Inclusion {
        /// File of the receipt
        file: PathBuf,
        /// The log's key
        #[arg(long, value_name = "VKEY", required = true)]
        key: Vec<String>,
    },
    /// Fetch the newest signed checkpoint
    Checkpoint,
    /// Fetch what the node says is its log's key
    Key,
}

/// Publish, rotate and revoke verifying keys.
#[derive(Debug, Subcommand)]
pub(crate) enum VerifyingKey {
    /// List the published keys, and the revoked ones
    List,
    /// Show the keys under a name, or the key of a circuit
    Show {
        /// A name, or a circuit's id (cir_...)
        key: String,
    },
    /// Make a circuit's key the current one under a name; those before it go on verifying
    Publish {
        /// The name
        name: String,
        /// The circuit's id (cir_...)
        circuit: String,
    },
    /// Declare that proofs under a circuit's key are worth nothing any more, for good
    Revoke {
        /// The circuit's id (cir_...)
        circuit: String,
        /// Why, for whoever meets such a proof
        #[arg(long)]
        reason: String,
    },
}

/// Look at workers, let one out of quarantine.
#[derive(Debug, Subcommand)]
pub(crate) enum Worker {
    /// List the workers that are joined or in quarantine
    List,
    /// Give tasks again to a worker whose proofs did not verify
    Trust {
        /// Its name
        name: String,
    },
}

//! A checked circuit to keys, proofs, verdicts and diagnoses, with stock halo2.
//!
//! ```text
//!   ir::CheckedCircuit ──▶ rebuild ──▶ keygen_vk / keygen_pk ──▶ KeyCache ─┐
//!                                                                          ▼
//!   ir::Witness ──▶ check (own evaluator) ──▶ values ──▶ create_proof ──▶ Proof
//!                        │ fails                                           │
//!                        ▼                                                 ▼
//!                    diagnose ──▶ Vec<Failure>          exact lengths ──▶ Verdict
//! ```
//!
//! [`Halo2Ipa`] is the door: it is synchronous, shared by reference between threads, and keeps
//! its keys within a byte budget. What it promises:
//!
//! - The verifying key equals, byte for byte in its pinned form, the one that stock halo2 makes
//!   of the author's own circuit, so proofs are exchangeable with native code.
//! - Proofs and public inputs have one exact length, checked before anything is verified.
//! - Blinding is the operating system's randomness; nothing here takes a seed.
//! - A panic inside halo2 is an error, never an unwinding caller; no failure shows a value unless
//!   [`explain`] was told so.
//!
//! It never opens a socket and touches no file but the public parameters in [`ParamsDir`].

mod backend;
mod cache;
mod check;
mod error;
mod estimate;
mod failure;
mod halo2_ipa;
mod keys;
mod limits;
mod mock;
mod params;
mod processor;
mod proof;
mod proof_length;
mod randomness;
mod rebuild;
mod speed;
mod values;
mod verdict;
mod vesta;

pub use backend::{Backend, KeyFacts};
pub use check::{Effort, Finding, FindingKind, FoundCell, Probed, check, diagnose, explain, probe};
pub use error::Error;
pub use estimate::{Estimate, estimate};
pub use failure::{Cell, CellValue, Failure, Fault, Place, RegionRow, Unsatisfied, Values};
pub use halo2_ipa::{Assigned, Halo2Ipa, assign};
pub use keys::{CRATES, KEY_DOMAIN, KeyDigest, ProvingKeys, VerifyingKeys};
pub use limits::{BATCH_MAX, FAILURE_CELLS_MAX, FAILURES_MAX, FINDINGS_MAX, K_MAX};
pub use mock::mock;
pub use params::ParamsDir;
pub use processor::processor;
pub use proof::{Proof, Timings};
pub use rayon::ThreadPool;
pub use speed::{Speed, proof_work};
pub use verdict::{Reason, Verdict};
pub use vesta::{Vesta, VestaPoint};

//! Write an ordinary halo2 circuit, export it as an Aureole plugin.
//!
//! An author implements [`Plugin`] around a `halo2_proofs` circuit and calls [`export!`]. In the
//! sandbox the circuit only *records*: its constraint system, its layout, and for each proof its
//! witness. The same code runs natively through [`native`], so a plugin is tested with plain
//! `cargo test`. [`record`] does it for any circuit, without the trait.

mod describe;
mod export;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;
mod json;
pub mod native;
mod plugin;
pub mod record;

pub use aureole_ir as ir;
pub use aureole_ir::PublicInput;
pub use describe::Description;
pub use ff;
pub use halo2_proofs;
pub use pasta_curves;
pub use pasta_curves::Fp;
pub use plugin::{K, Plugin, Problem};
pub use schemars;
pub use serde;
pub use serde_json;

//! From a plugin's crate to the component that a node takes.
//!
//! ```text
//! crate ── cargo, wasm32-unknown-unknown ──▸ module ── wit-component ──▸ Component: bytes, digest
//!          scrubbed environment, own flags,
//!          own profile, remapped paths
//! ```
//!
//! Of a module in another language `Component::from_module` makes a component as well.
//!
//! The bytes depend on the sources, the lock file and the toolchain only: not on the folder, the
//! user, the environment or cargo's configuration files. So whoever has the source of a plugin
//! can tell by its digest that a node runs just that. `aureole plugin build` and
//! `cargo xtask plugins` both build with this.

mod cargo;
mod component;
mod error;
mod flags;
mod target;
mod workspace;
mod world;

pub use component::Component;
pub use error::Error;
pub use target::ensure_target;
pub use workspace::{Locked, Package, Workspace};

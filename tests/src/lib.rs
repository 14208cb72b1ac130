//! Testkit: real nodes in temporary folders, and what the stories told through them share.
//!
//! - [`Node`] is a running `aureole dev` with a folder of its own: killed, stopped and restarted
//!   at will, gone when dropped, its log shown when a test fails.
//! - [`cluster`] is several processes that are one platform, with clients, faults and an audit.
//! - [`chaos`] mixes all of that by a seed.
//! - [`Busy`] is a node with a proof under way that takes seconds.
//! - [`http`] speaks to it byte by byte, as curl would; `Node::client` as programs do.
//! - [`cli`] runs the commands of the same binary.
//! - [`Native`] is stock halo2 on an author's own circuit, to compare with.
//! - [`Net`] is several hosts on one machine, whose links break on demand; [`Faults`] makes a disk
//!   slow, broken or full, and a clock wrong; [`damage`] flips bits in a stopped node's files.
//! - [`Secret`] is planted, and looked for in every form in which it could have been written down.
//! - [`linear`] says whether what clients saw of a task could have happened one thing at a time.
//! - [`eventually`] waits within a bound; nothing here sleeps and hopes.
//!
//! All of it takes the binary and the plugins that `cargo xtask test` builds.

pub mod chaos;
pub mod cli;
pub mod cluster;
pub mod damage;
mod faults;
pub mod http;
mod inputs;
mod key;
pub mod linear;
mod native;
mod net;
mod node;
mod place;
mod processes;
mod random;
mod receiver;
mod secret;
mod slow;
mod wait;

pub use faults::{Faults, Happened};
pub use inputs::{MERKLE_REQUEST, merkle_input, preimage_input, range_input};
pub use key::{ACCESS, KEY, client, client_of, key_of};
pub use native::{Instance, Native};
pub use net::Net;
pub use node::{Node, Options};
pub use place::{
    another_version, binary, fixture, fixture_path, params, params_afresh, params_dir, plugin,
    plugin_path,
};
pub use processes::{Process, descendants};
pub use random::Random;
pub use receiver::{Received, Receiver};
pub use secret::Secret;
pub use slow::Busy;
pub use wait::{PATIENCE, eventually};

//! Who may speak to whom between the processes of a cluster: mutually authenticated TLS.
//!
//! A cluster has one authority, made by `aureole cluster init`. Every process holds a certificate of
//! it that names the cluster, a [`Role`] and the process. Coordinators answer under one fixed name,
//! which no other role's certificate bears; what a caller may call follows from its role. A worker or
//! gateway gets its certificate with a [`Token`].
//!
//! ```text
//!              Raft, Replicas   Members, Upkeep   Blobs, Workers   Desk   Enrol
//! coordinator        x                 x                 x          x      x
//! worker                                                 x                 x
//! gateway                                                           x      x
//! admin                                x                                   x
//! nobody yet                                                              x
//! ```

mod authority;
mod explain;
mod files;
mod guard;
mod identity;
mod request;
mod role;
mod token;
mod transport;

pub use authority::{Authority, AuthorityError};
pub use explain::explain;
pub use files::FileError;
pub use guard::Guard;
pub use identity::{Identity, IdentityError};
pub use role::{Name, Role};
pub use token::{TOKEN_TTL_MAX, Token, TokenError};
pub use transport::{Transport, TransportError};

pub(crate) use files::{read, write_private, write_public};
pub(crate) use request::KeyRequest;
pub(crate) use transport::{enrolment_endpoint, is_loopback};

/// The name in the certificate of every coordinator, and of nobody else. Members are told apart by
/// their address and their id; that one is a coordinator of this cluster is what TLS proves.
pub(crate) const COORDINATOR_NAME: &str = "coordinator.aureole.internal";

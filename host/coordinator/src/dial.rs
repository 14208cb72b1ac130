//! How one member reaches another: whoever assembles the process knows about TLS, this crate does not.

use std::fmt;

use thiserror::Error;
use tonic::transport::Channel;

/// An address is not one that can be dialled.
#[derive(Debug, Error)]
#[error("the address {address:?} cannot be dialled: {reason}")]
pub struct DialError {
    /// The address.
    pub address: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Makes channels to members.
///
/// The channel must be lazy: it connects when the first request is sent, and again after it was
/// lost. It must not wait longer than about a second for a connection. Called on a runtime.
pub trait Dial: Send + Sync + fmt::Debug + 'static {
    /// Returns a new channel to host:port.
    ///
    /// # Errors
    /// The address is malformed.
    fn channel(&self, address: &str) -> Result<Channel, DialError>;
}

/// Dials nothing, for a group of one.
#[derive(Clone, Copy, Debug, Default)]
pub struct DialNothing;

impl Dial for DialNothing {
    fn channel(&self, address: &str) -> Result<Channel, DialError> {
        Err(DialError {
            address: address.to_owned(),
            reason: "this node runs alone and dials no other".to_owned(),
        })
    }
}

//! How a coordinator is reached: whoever builds a node knows about TLS, the worker knows addresses.

use thiserror::Error;
use tonic::transport::Channel;

/// A channel to an address cannot even be made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no channel to {address}: {reason}")]
pub struct ConnectError {
    /// The address, `host:port`.
    pub address: String,
    /// Why not.
    pub reason: String,
}

/// Makes channels to coordinators.
///
/// A channel is lazy: it connects at its first call, and again after a loss. It must give up a
/// connection that does not come about, or that no longer answers, within a few seconds (connect
/// timeout, HTTP/2 pings), or a leader that lost its network is noticed late. Called on two runtimes,
/// because the heartbeats have one of their own; a channel belongs to the runtime it was made in.
pub trait Connect: Send + Sync + 'static {
    /// Makes a channel to an address.
    ///
    /// # Errors
    /// [`ConnectError`] if the address is none.
    fn channel(&self, address: &str) -> Result<Channel, ConnectError>;
}

impl<F> Connect for F
where
    F: Fn(&str) -> Result<Channel, ConnectError> + Send + Sync + 'static,
{
    fn channel(&self, address: &str) -> Result<Channel, ConnectError> {
        self(address)
    }
}

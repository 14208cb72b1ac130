//! From a name to its addresses: asked once for each attempt, and what is said is what is used.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

use crate::limits::ADDRESSES_MAX;

/// Looks names up.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a name, in the order they should be tried in.
    ///
    /// # Errors
    /// When the name has none or the resolver does not answer.
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((name, port)).await?;
        Ok(found
            .map(|address| address.ip())
            .take(ADDRESSES_MAX)
            .collect())
    }
}

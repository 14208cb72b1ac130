//! Who a member is: its cluster, its id, and which disk it is the member of.
//!
//! The log's folder keeps the identity. A folder cannot be started as another member, and a member
//! whose folder is new cannot pass for the one that lost it: the incarnation differs.

use serde::{Deserialize, Serialize};

/// Who a member is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The cluster it belongs to.
    pub(crate) cluster: String,
    /// Its id.
    pub(crate) member: u64,
    /// Drawn when the folder was made.
    pub(crate) incarnation: u64,
}

// === impl Identity ===

impl Identity {
    /// Makes the identity of a new folder.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn draw(cluster: &str, member: u64) -> Result<Self, getrandom::Error> {
        Ok(Self {
            cluster: cluster.to_owned(),
            member,
            incarnation: getrandom::u64()?,
        })
    }
}

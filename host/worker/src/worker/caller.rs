//! Clients of coordinators by address: one for each runtime that calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aureole_api::internal::v1::workers_client::WorkersClient;
use aureole_api::leader::COORDINATORS_MAX;
use tonic::transport::Channel;

use crate::connect::{Connect, ConnectError};

/// Keeps a channel for each address. Not shared between runtimes: a channel works in the one that
/// it was made in.
pub(super) struct Caller {
    connect: Arc<dyn Connect>,
    channels: Mutex<BTreeMap<String, Channel>>,
}

// === impl Caller ===

impl Caller {
    pub(super) fn new(connect: Arc<dyn Connect>) -> Self {
        Self {
            connect,
            channels: Mutex::default(),
        }
    }

    /// A client of the coordinator at an address.
    pub(super) fn client(&self, address: &str) -> Result<WorkersClient<Channel>, ConnectError> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(address) {
            return Ok(WorkersClient::new(channel.clone()));
        }
        let channel = self.connect.channel(address)?;
        // Members that left are not worth a connection; those that are there are dialled again.
        if channels.len() >= 2 * COORDINATORS_MAX {
            channels.clear();
        }
        channels.insert(address.to_owned(), channel.clone());
        Ok(WorkersClient::new(channel))
    }

    /// Closes the connection to an address that did not answer: the next call makes a new one.
    pub(super) fn hang_up(&self, address: &str) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.remove(address);
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

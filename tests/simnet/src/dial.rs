//! How members reach each other: a node's timeouts, on simulated wires.

use aureole_coordinator::{Dial, DialError};
use hyper_util::rt::TokioIo;
use tonic::transport::{Channel, Endpoint, Uri};
use turmoil::net::TcpStream;

use crate::limits::{CONNECT_TIMEOUT, KEEPALIVE, KEEPALIVE_TIMEOUT};
use crate::wire::Wire;

/// Dials from whatever simulated host it is called on.
#[derive(Debug)]
pub(crate) struct SimulatedDial;

impl Dial for SimulatedDial {
    fn channel(&self, address: &str) -> Result<Channel, DialError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"));
        let endpoint = endpoint.map_err(|error| DialError {
            address: address.to_owned(),
            reason: error.to_string(),
        })?;
        let address = address.to_owned();
        let connector = tower::service_fn(move |_: Uri| {
            let address = address.clone();
            async move {
                TcpStream::connect(address)
                    .await
                    .map(Wire)
                    .map(TokioIo::new)
            }
        });
        Ok(endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .connect_with_connector_lazy(connector))
    }
}

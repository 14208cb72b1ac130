//! This member's log for the other members.

use std::sync::Arc;

use aureole_api::internal::v1;
use aureole_api::internal::v1::log_server::{self, LogServer};
use aureole_receipts::{Tile, TileReader as _};
use aureole_store::{TileLog, TileLogError};
use tonic::{Request, Response, Status};

use crate::runtime::apart;

/// Answers from this member's disk. Only members may reach it.
#[derive(Clone, Debug)]
pub struct LogService {
    log: Arc<TileLog>,
}

// === impl LogService ===

impl LogService {
    /// Makes the service.
    pub fn server(log: Arc<TileLog>) -> LogServer<Self> {
        LogServer::new(Self { log })
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&TileLog) -> Result<T, TileLogError> + Send + 'static,
    ) -> Result<T, Status> {
        let log = Arc::clone(&self.log);
        let read = apart(move || read(&log)).await;
        let read = read.map_err(|_| Status::unavailable("this member is stopping"))?;
        read.map_err(|error| Status::internal(error.to_string()))
    }
}

/// Reads a tile; if the log on disk is too short for it, what waits is written first. Whoever asks has
/// applied as much as this member and would ask for ever while leaves go on coming.
fn tile_of(log: &TileLog, tile: &Tile) -> Result<Option<Vec<u8>>, TileLogError> {
    if !tile.is_within(log.size()) {
        match log.settle() {
            Ok(_) | Err(TileLogError::Behind { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    log.read(tile)
}

#[tonic::async_trait]
impl log_server::Log for LogService {
    async fn get_tile(
        &self,
        request: Request<v1::GetTileRequest>,
    ) -> Result<Response<v1::GetTileReply>, Status> {
        let path = request.into_inner().path;
        let tile: Tile = path
            .parse()
            .map_err(|_| Status::invalid_argument("this is no path of a tile"))?;
        let bytes = self.read(move |log| tile_of(log, &tile)).await?;
        Ok(Response::new(v1::GetTileReply { bytes }))
    }

    async fn get_checkpoint(
        &self,
        _: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointReply>, Status> {
        let note = self.read(TileLog::checkpoint).await?;
        Ok(Response::new(v1::GetCheckpointReply { note }))
    }
}

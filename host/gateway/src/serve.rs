//! The accept loop.

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::{Config, Platform};

/// Serves the API until `shutdown` resolves, then lets requests in work end.
pub async fn serve(
    listener: TcpListener,
    platform: Arc<dyn Platform>,
    config: Config,
    shutdown: impl Future<Output = ()> + Send,
) {
    let _ = (listener, platform, config);
    shutdown.await;
}

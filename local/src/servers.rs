//! Servers that end with their owner.

use axum::Router;
use std::net::SocketAddr;
use tokio::{net::TcpListener, sync::watch};

/// Whatever goes on until this value is dropped: then every server stops listening, answers what is under way and
/// closes its connections.
pub struct Servers {
    end: watch::Sender<()>,
}

impl Servers {
    /// No server yet.
    #[must_use]
    pub fn new() -> Self {
        Self { end: watch::Sender::new(()) }
    }

    /// Serves `router` on `listener`.
    pub fn serve(&self, listener: TcpListener, router: Router) {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let end = self.end();
        tokio::spawn(async move {
            // An accept loop of axum's does not end with an error.
            let _ = axum::serve(listener, service).with_graceful_shutdown(end).await;
        });
    }

    /// Completes when the value is dropped.
    pub fn end(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut end = self.end.subscribe();
        async move {
            // Nothing is ever sent: an error says that the sender is gone.
            let _ = end.changed().await;
        }
    }
}

impl Default for Servers {
    fn default() -> Self {
        Self::new()
    }
}

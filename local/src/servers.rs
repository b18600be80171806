//! Servers that end with their owner, and wait for no client for long. They speak HTTP/1.1.

use std::{error, io, iter, net::SocketAddr, time::Duration};

use axum::{
    Error, Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{Request, StatusCode},
};
use futures::{StreamExt, stream};
use http_body_util::LengthLimitError;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};
use tower_service::Service;

/// How long a client may take for the head of a request, counted from the end of the one before it, and for each piece
/// of a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// Headers of a request at most, so that whoever counts their bytes may answer. Beyond them hyper answers by itself.
const HEADERS: usize = 2560;

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
        self.serve_with(listener, router, PATIENCE);
    }

    fn serve_with(&self, listener: TcpListener, router: Router, patience: Duration) {
        let connections = self.end.subscribe();
        let end = self.end();
        tokio::spawn(async move {
            tokio::pin!(end);
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = &mut end => return,
                };
                match accepted {
                    Ok((stream, peer)) => {
                        let end = until_dropped(connections.clone());
                        tokio::spawn(converse(stream, peer, router.clone(), patience, end));
                    }
                    // There may be too many connections: some will end.
                    Err(_) => sleep(Duration::from_millis(50)).await,
                }
            }
        });
    }

    /// Completes when the value is dropped.
    pub fn end(&self) -> impl Future<Output = ()> + Send + 'static {
        until_dropped(self.end.subscribe())
    }
}

impl Default for Servers {
    fn default() -> Self {
        Self::new()
    }
}

async fn until_dropped(mut end: watch::Receiver<()>) {
    // Nothing is ever sent: an error says that the sender is gone.
    let _ = end.changed().await;
}

/// Answers the requests of one connection.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    patience: Duration,
    end: impl Future<Output = ()>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(|body| impatient(Body::new(body), patience));
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request)
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(patience).max_headers(HEADERS);
    let connection = server.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // Clients go away as they like.
        _ = connection.as_mut() => return,
        () = end => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// `body`, which ends with an error where the client keeps us waiting for a piece of it.
fn impatient(body: Body, patience: Duration) -> Body {
    let pieces = stream::unfold(Some(body.into_data_stream()), move |pieces| async move {
        let mut pieces = pieces?;
        match timeout(patience, pieces.next()).await {
            Ok(piece) => Some((piece?, Some(pieces))),
            Err(late) => Some((Err::<Bytes, _>(Error::new(io::Error::from(late))), None)),
        }
    });
    Body::from_stream(pieces)
}

/// How to refuse a request whose body could not be read: it is too large, came too slowly, or is broken.
#[must_use]
pub fn refusal_of(unread: &Error) -> StatusCode {
    let causes = iter::successors(Some(unread as &(dyn error::Error + 'static)), |cause| cause.source());
    for cause in causes {
        if cause.is::<LengthLimitError>() {
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
        if cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return StatusCode::REQUEST_TIMEOUT;
        }
    }
    StatusCode::BAD_REQUEST
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use axum::{body::to_bytes, routing::post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const SHORT: Duration = Duration::from_millis(300);

    async fn read(body: Body) -> StatusCode {
        to_bytes(body, 10).await.map_or_else(|error| refusal_of(&error), |_| StatusCode::OK)
    }

    /// Sends `pieces` to an impatient server, a moment apart, and returns what comes back until it hangs up.
    async fn answer_to(pieces: &[&str]) -> String {
        let servers = Servers::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        servers.serve_with(listener, Router::new().route("/", post(read)), SHORT);
        let mut stream = TcpStream::connect(address).await.unwrap();
        for piece in pieces {
            stream.write_all(piece.as_bytes()).await.unwrap();
            sleep(SHORT / 10).await;
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn nobody_is_waited_for_for_long() {
        let head = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\r\n";
        let started = Instant::now();
        assert_eq!(answer_to(&[]).await, "", "an idle connection");
        assert_eq!(answer_to(&["POST / HTTP/1.1\r\nhost:"]).await, "", "half a head");
        assert!(answer_to(&[head, "ab"]).await.starts_with("HTTP/1.1 408 "), "half a body");
        let answer = answer_to(&[head, "ab", "cd"]).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(started.elapsed() >= SHORT * 4, "each was waited for");
        assert!(started.elapsed() < SHORT * 40);
    }

    #[tokio::test]
    async fn a_body_is_refused_for_what_is_wrong_with_it() {
        let chunked = "POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
        for (body, status) in [("3\r\nabc\r\n0\r\n\r\n", 200), ("zz\r\nabc\r\n", 400), ("b\r\nabcdefghijk\r\n", 413)] {
            let answer = answer_to(&[chunked, body]).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{body:?}: {answer}");
        }
    }
}

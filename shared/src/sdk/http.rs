//! The SDK's way to the network: HTTP/1.1, over TLS with ring.
//!
//! The client that the SDK brings speaks HTTP/2 too, which cannot be switched off and nobody here talks to: a tenth of each
//! executable. And it reads its certificates twice. This is the same hyper client without either (ADR 9).

use std::{
    future::{Ready, ready},
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use aws_smithy_runtime_api::client::{
    connection::{CaptureSmithyConnection, ConnectionMetadata},
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{self, CaptureConnection, capture_connection, dns::Name},
    },
    rt::{TokioExecutor, TokioTimer},
};
use lambda_runtime::Error;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tower_service::Service;

use crate::config;

/// Amazon Trust Services' roots, under which every AWS endpoint stands, from its repository of certificates. Reading the
/// system's 145 takes 1.7 ms of a cold start.
const AMAZON_ROOTS: [&[u8]; 5] = [
    include_bytes!("roots/amazon-root-ca-1.der"),
    include_bytes!("roots/amazon-root-ca-2.der"),
    include_bytes!("roots/amazon-root-ca-3.der"),
    include_bytes!("roots/amazon-root-ca-4.der"),
    include_bytes!("roots/starfield-services-root-ca-g2.der"),
];

/// A client that trusts Amazon's roots, or those of the PEM file that `AWS_CA_BUNDLE` names. An URL with `http` is called
/// without TLS, as local endpoints are. It has no timeouts: the SDK bounds each attempt by its own.
///
/// # Errors
/// When the bundle cannot be read or holds no certificates.
pub fn client() -> Result<SharedHttpClient, Error> {
    client_that_keeps(usize::MAX)
}

/// As [`client`], but with a new connection for each call: one that the other end closed while the process was frozen
/// fails a call, which matters where calls are not repeated.
///
/// # Errors
/// As [`client`].
pub fn client_without_pool() -> Result<SharedHttpClient, Error> {
    client_that_keeps(0)
}

fn client_that_keeps(idle_connections: usize) -> Result<SharedHttpClient, Error> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots()?)
        .with_no_client_auth();
    let mut tcp = connect::HttpConnector::new_with_resolver(Resolver);
    tcp.enforce_http(false);
    // Otherwise a small write waits for the acknowledgement of the one before it.
    tcp.set_nodelay(true);
    let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    // Connections that idled for longer than a minute and a half are not used again: the process may have been frozen.
    let hyper = Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(idle_connections)
        .build(https);
    let connector = SharedHttpConnector::new(Connector(hyper));
    Ok(http_client_fn(move |_, _| connector.clone()))
}

#[derive(Debug)]
struct Connector(Client<HttpsConnector<connect::HttpConnector<Resolver>>, SdkBody>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let used = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&used));
        }
        let reply = self.0.request(request);
        HttpConnectorFuture::new(async move {
            // Whatever fails here is the network or the other end, and may pass.
            let reply = reply.await.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(reply.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// Names looked up by the C library on the one thread that there is. hyper's own resolver starts a thread for it, which
/// takes a sixth of a cold start. Nothing else goes on meanwhile, timeouts neither: `RES_OPTIONS`, which the template sets,
/// bounds it.
#[derive(Clone, Copy, Debug)]
struct Resolver;

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        ready((name.as_str(), 0).to_socket_addrs())
    }
}

/// The connection that a request went over, by which the SDK says not to use it again after a failure.
fn metadata(used: &CaptureConnection) -> Option<ConnectionMetadata> {
    used.connection_metadata().as_ref()?;
    let used = used.clone();
    let poison = move || {
        if let Some(connection) = used.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(poison).build())
}

/// The certificates to trust.
fn roots() -> Result<RootCertStore, Error> {
    match config::optional("AWS_CA_BUNDLE") {
        Some(path) => bundle(&path).map_err(|error| format!("AWS_CA_BUNDLE cannot be read: {error}").into()),
        None => amazons(),
    }
}

fn bundle(path: &str) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path)? {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err("there is no certificate in it".into());
    }
    Ok(roots)
}

fn amazons() -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for root in AMAZON_ROOTS {
        roots.add(CertificateDer::from_slice(root))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazons_five_roots_are_trusted() {
        assert_eq!(amazons().unwrap().len(), 5);
    }

    #[test]
    fn a_bundle_without_certificates_is_refused() {
        for path in ["/dev/null", "/nowhere"] {
            assert!(bundle(path).is_err(), "{path}");
        }
    }
}

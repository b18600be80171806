//! TLS: the functions behind a door with a certificate, as every AWS endpoint has one. All else here goes without.

use std::{path::PathBuf, sync::Arc, time::Duration};

use local::system::{Options, System};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

use crate::support::{executables, template};

/// A door with TLS before a server that is named later; whoever hangs up ends all of its connections.
struct Door {
    url: String,
    root: String,
    to: watch::Sender<Option<String>>,
    connections: watch::Sender<usize>,
}

impl Door {
    async fn open() -> Self {
        let mut issuer = CertificateParams::default();
        issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(issuer, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &root).unwrap();
        let server = ServerConfig::builder().with_no_client_auth();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let acceptor = TlsAcceptor::from(Arc::new(server.with_single_cert(vec![leaf.der().clone()], key).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let (to, connections) = (watch::Sender::new(None), watch::Sender::new(0));
        tokio::spawn(accept(listener, acceptor, to.clone(), connections.clone()));
        Self { url, root: root.pem(), to, connections }
    }

    /// Ends every connection, as a server does that has not heard of the other end for long.
    async fn hang_up(&self) {
        self.to.send_modify(|_| {});
        self.connections.subscribe().wait_for(|open| *open == 0).await.unwrap();
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    to: watch::Sender<Option<String>>,
    connections: watch::Sender<usize>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, mut to, connections) = (acceptor.clone(), to.subscribe(), connections.clone());
        tokio::spawn(async move {
            connections.send_modify(|open| *open += 1);
            let target = to.borrow_and_update().clone();
            // Whoever does not trust the certificate goes away in the middle of the handshake.
            if let (Some(target), Ok(mut outer)) = (target, acceptor.accept(stream).await) {
                let mut inner = TcpStream::connect(target.trim_start_matches("http://")).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut outer, &mut inner) => {}
                    _ = to.changed() => {}
                }
            }
            connections.send_modify(|open| *open -= 1);
        });
    }
}

/// A system whose functions reach DynamoDB through the door alone.
async fn start_behind(door: &Door, change: impl FnOnce(&mut Options)) -> System {
    let mut options = Options::new(template());
    options.concurrency = 1;
    options.environment.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), door.url.clone());
    change(&mut options);
    let system = System::start(&options, executables()).await.unwrap();
    door.to.send_replace(Some(system.backends.dynamodb.clone()));
    system
}

async fn list_apps(system: &System) -> Result<Value, Value> {
    system.invoke("operator", &json!({ "command": "list_apps" })).await
}

#[tokio::test]
async fn a_server_is_believed_under_the_roots_of_the_bundle_and_a_connection_that_ended_is_made_again() {
    let door = Door::open().await;
    let bundle = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("root-{}.pem", std::process::id()));
    std::fs::write(&bundle, &door.root).unwrap();
    let trust = |options: &mut Options| {
        options.environment.insert("AWS_CA_BUNDLE".to_owned(), bundle.display().to_string());
    };
    let system = start_behind(&door, trust).await;
    assert_eq!(list_apps(&system).await.unwrap()["items"], json!([]));
    for _ in 0..5 {
        door.hang_up().await;
        assert_eq!(list_apps(&system).await.unwrap()["items"], json!([]));
    }
    std::fs::remove_file(bundle).unwrap();
}

#[tokio::test]
async fn a_server_under_a_root_that_is_not_amazons_is_told_nothing() {
    let door = Door::open().await;
    let system = start_behind(&door, |_| {}).await;
    let refusal = list_apps(&system).await.unwrap_err();
    assert!(refusal["errorMessage"].as_str().unwrap().ends_with("Try again later."), "{refusal}");
    assert!(system.backends.calls.all().is_empty());
    let said = tokio::time::timeout(Duration::from_secs(5), async {
        while !system.logs.lines().iter().any(|line| line.text.contains("UnknownIssuer")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    said.await.expect("the log says why");
}

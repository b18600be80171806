//! TLS before a backend, with a chain like AWS's: root, intermediate and leaf, all RSA with 2,048 bits.

use std::{
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use anyhow::{Context, Result, ensure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// Certificates, and the files by which each kind of contestant is told of their root.
pub struct Authority {
    server: Arc<ServerConfig>,
    folder: PathBuf,
    connections: Arc<AtomicUsize>,
}

impl Authority {
    /// Makes a chain for `localhost` and writes the trust stores into `folder`.
    ///
    /// # Errors
    /// No `openssl` command (ring makes no RSA keys), or a folder that cannot be written.
    pub fn new(folder: PathBuf) -> Result<Self> {
        let root = CertifiedIssuer::self_signed(issuer("Bench Root CA 1"), rsa_key()?)?;
        let intermediate = CertifiedIssuer::signed_by(issuer("Bench RSA 2048 M01"), rsa_key()?, &root)?;
        let (leaf_key, mut leaf) = (rsa_key()?, CertificateParams::new(vec!["localhost".to_owned()])?);
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        let leaf = leaf.signed_by(&leaf_key, &intermediate)?;
        let chain = vec![leaf.der().clone(), intermediate.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let server = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
        let system = std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
        for (name, others) in [("root.pem", ""), ("system.pem", system.as_str())] {
            std::fs::write(folder.join(name), format!("{others}{}", root.pem()))?;
        }
        Ok(Self { server: Arc::new(server), folder, connections: Arc::default() })
    }

    /// Variables that name the trust stores: ours for the functions instead of those that they have embedded, the system's
    /// and ours for what looks there, ours beside its own for Node.
    pub fn environment(&self) -> [(&'static str, String); 3] {
        [("AWS_CA_BUNDLE", "root.pem"), ("SSL_CERT_FILE", "system.pem"), ("NODE_EXTRA_CA_CERTS", "root.pem")]
            .map(|(variable, file)| (variable, self.folder.join(file).display().to_string()))
    }

    /// Connections that were made to all doors so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    /// Opens a door with TLS to what listens at `url`, and returns its URL.
    ///
    /// # Errors
    /// No free port.
    pub async fn front(&self, url: &str) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let door = format!("https://localhost:{}", listener.local_addr()?.port());
        let (acceptor, backend) =
            (TlsAcceptor::from(self.server.clone()), url.trim_start_matches("http://").to_owned());
        let connections = self.connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Relaxed);
                let (acceptor, backend) = (acceptor.clone(), backend.clone());
                tokio::spawn(async move {
                    // A function that is ended in the middle of something is no fault of this door's.
                    let _ = serve(&acceptor, stream, &backend).await;
                });
            }
        });
        Ok(door)
    }
}

async fn serve(acceptor: &TlsAcceptor, stream: TcpStream, backend: &str) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut outer = acceptor.accept(stream).await?;
    let mut inner = TcpStream::connect(backend).await?;
    inner.set_nodelay(true)?;
    copy_bidirectional(&mut outer, &mut inner).await?;
    Ok(())
}

fn issuer(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    parameters
}

fn rsa_key() -> Result<KeyPair> {
    let made = Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .context("the openssl command makes the keys, and it is missing")?;
    ensure!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
    Ok(KeyPair::from_pkcs8_pem_and_sign_algo(&String::from_utf8(made.stdout)?, &rcgen::PKCS_RSA_SHA256)?)
}

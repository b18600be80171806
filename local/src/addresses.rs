//! Addresses of this machine, and who has them.

use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;

/// An address that somebody listens on already.
#[derive(Debug)]
pub struct InUse {
    /// The address.
    pub address: String,
    /// The option that names it.
    pub option: &'static str,
}

impl std::error::Error for InUse {}

impl std::fmt::Display for InUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is in use ({})", self.address, self.option)
    }
}

/// Listens on `address`, which `option` names; returns the URL by which programs of this machine reach it, too.
///
/// # Errors
/// [`InUse`], and any other failure of listening there.
pub async fn bind(address: &str, option: &'static str) -> Result<(TcpListener, String)> {
    let listener = match TcpListener::bind(address).await {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            return Err(InUse { address: address.to_owned(), option }.into());
        }
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
            bail!("{option} {address} is no address such as 127.0.0.1:9000");
        }
        bound => bound.with_context(|| format!("cannot listen on {address} ({option})"))?,
    };
    let mut local = listener.local_addr()?;
    if local.ip().is_unspecified() {
        local.set_ip(IpAddr::from([127, 0, 0, 1]));
    }
    Ok((listener, format!("http://{local}")))
}

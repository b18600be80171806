//! What to do about an address that is in use.

use anyhow::{Error, anyhow};
use tokio::net::TcpListener;

use super::Arguments;
use crate::addresses::InUse;

/// How far apart an address that is in use and the one offered for it are.
const STEP: u16 = 10;

/// The addresses that were asked for, by their options.
pub struct Addresses(Vec<(&'static str, String)>);

impl Addresses {
    pub fn of(arguments: &Arguments) -> Self {
        let Arguments { api, mail, dynamodb, partner, backends_only, .. } = arguments;
        let api = (!backends_only).then_some(("--api", api));
        let partner = partner.as_ref().map(|partner| ("--partner", partner));
        let all = [api, Some(("--mail", mail)), Some(("--dynamodb", dynamodb)), partner];
        Self(all.into_iter().flatten().map(|(option, address)| (option, address.clone())).collect())
    }

    /// `error`, and where it is an address in use, which to name instead: of all that are in use at once, since whoever
    /// runs a second system meets one after the other.
    pub async fn advise(&self, error: Error) -> Error {
        if !error.is::<InUse>() {
            return error;
        }
        let mut advice = Vec::new();
        for (option, address) in &self.0 {
            if TcpListener::bind(address).await.is_err() {
                advice.push(format!("{option} {}", free_beside(address).await));
            }
        }
        anyhow!("{error}; free: {}", advice.join(" "))
    }
}

/// The next free port on the same host, some steps further.
async fn free_beside(address: &str) -> String {
    let Some((host, port)) = address.rsplit_once(':') else { return "127.0.0.1:0".to_owned() };
    let mut port: u16 = port.parse().unwrap_or(0);
    while let Some(next) = port.checked_add(STEP) {
        port = next;
        if TcpListener::bind(format!("{host}:{port}")).await.is_ok() {
            return format!("{host}:{port}");
        }
    }
    format!("{host}:0")
}

//! The records that a newcomer starts with: a platform and an App, made through the operator like any other.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use partner_site::{AppCredentials, PlatformCredentials};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{files, system::System};

/// The demo App and platform, as the ready file has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Demo {
    /// The App's credentials.
    pub app: AppCredentials,
    /// The platform's credentials.
    pub platform: PlatformCredentials,
}

/// Makes the demo records, or takes up those that an earlier run has left in `data`; the pages hand them
/// out.
/// `platform_url` is where SSO leads to.
///
/// # Errors
/// What the operator refuses, and a data folder that cannot be written.
pub async fn provision(system: &System, platform_url: &str, data: Option<&Path>) -> Result<Demo> {
    let demo = make_or_take_up(system, platform_url, data).await?;
    system.handout.set(serde_json::to_value(&demo)?);
    Ok(demo)
}

async fn make_or_take_up(system: &System, platform_url: &str, data: Option<&Path>) -> Result<Demo> {
    let file = data.map(|folder| folder.join("demo.json"));
    if let Some(text) = file.as_deref().and_then(|file| std::fs::read(file).ok()) {
        let earlier: Demo = serde_json::from_slice(&text).context("the demo records of the data folder are damaged")?;
        let shown = operate(system, json!({ "command": "show_app", "superkey": earlier.app.superkey })).await;
        // The ports may be others than last time.
        let key = &earlier.platform.platformkey;
        let change = json!({ "command": "change_platform", "platformkey": key, "url": platform_url });
        if shown.is_ok() && operate(system, change).await.is_ok() {
            return Ok(earlier);
        }
    }
    let create = json!({ "command": "create_platform", "name": "Demo platform", "url": platform_url });
    let platform: PlatformCredentials = serde_json::from_value(operate(system, create).await?)?;
    let create = json!({
        "command": "create_app",
        "name": "Demo App",
        "grants": ["passcode", "nopasscode"],
        "platform": platform.platformkey,
    });
    let app: AppCredentials = serde_json::from_value(operate(system, create).await?)?;
    let demo = Demo { app, platform };
    if let Some(file) = file {
        files::write_private(&file, serde_json::to_string(&demo)?.as_bytes())?;
    }
    Ok(demo)
}

/// Gives the operator a command.
///
/// # Errors
/// The operator's refusal.
async fn operate(system: &System, command: Value) -> Result<Value> {
    system.invoke("operator", &command).await.map_err(|error| {
        let message = error["errorMessage"].as_str().unwrap_or("no message");
        anyhow!("the operator refused {}: {message}", command["command"])
    })
}

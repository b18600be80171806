//! `--data`: what is kept between two runs.

use crate::support::TestApp;
use reqwest::Method;
use serde_json::{Value, json};
use std::{os::unix::fs::PermissionsExt, path::PathBuf};

#[tokio::test]
async fn records_credentials_and_secrets_outlive_a_restart() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("data-{}", std::process::id()));
    let app = TestApp::start_with(|options| (options.data, options.database) = (Some(folder.clone()), None)).await;
    let customer = json!({ "company": "Analytical Engines", "email": "ada@example.com" });
    let created = app.app_request(Method::POST, "/customer").json(&customer).send().await.unwrap();
    let created: Value = created.json().await.unwrap();
    let credentials = (app.demo.app.superkey.clone(), app.demo.app.supertoken.clone());
    for file in ["demo.json", "secrets.json"] {
        let mode = std::fs::metadata(folder.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file} is its owner's alone");
    }

    let app = app.restart().await;
    assert_eq!((app.demo.app.superkey.clone(), app.demo.app.supertoken.clone()), credentials);
    let listed = app.app_request(Method::GET, "/customer").send().await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    assert_eq!(listed[0]["cuid"], created["cuid"]);
    let platform = json!({ "command": "show_platform", "platformkey": app.demo.platform.platformkey });
    let platform = app.operate(platform).await.unwrap();
    assert_eq!(platform["url"], format!("{}/", app.system.api), "the platform is where it is now");
    std::fs::remove_dir_all(folder).unwrap();
}

//! `--data`: what is kept between two runs.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn records_credentials_and_secrets_outlive_a_restart() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("data-{}", std::process::id()));
    let app = TestApp::start_with(|options| (options.data, options.database) = (Some(folder.clone()), None)).await;
    let customer = json!({ "company": "Analytical Engines", "email": "ada@example.com" });
    let created = app.app_request(Method::POST, "/customer").json(&customer).send().await.unwrap();
    let created: Value = created.json().await.unwrap();
    let sent = app.app_request(Method::GET, "/customer/ada@example.com/passcode").send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let mails = app.mails(None);
    let credentials = (app.demo.app.superkey.clone(), app.demo.app.supertoken.clone());
    for file in ["demo.json", "secrets.json", "mails.jsonl"] {
        let mode = std::fs::metadata(folder.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file} is its owner's alone");
    }

    let app = app.restart().await;
    assert_eq!((app.demo.app.superkey.clone(), app.demo.app.supertoken.clone()), credentials);
    let listed = app.app_request(Method::GET, "/customer").send().await.unwrap();
    let listed: Value = listed.json().await.unwrap();
    assert_eq!(listed[0]["cuid"], created["cuid"]);
    let kept = app.mails(None);
    assert_eq!(kept.len(), 1);
    assert_eq!((&kept[0].id, &kept[0].html, &kept[0].headers), (&mails[0].id, &mails[0].html, &mails[0].headers));
    assert!(app.system.backends.mailbox.delete(&mails[0].id));
    let app = app.restart().await;
    assert!(app.mails(None).is_empty(), "what was deleted stays so");
    let platform = json!({ "command": "show_platform", "platformkey": app.demo.platform.platformkey });
    let platform = app.operate(platform).await.unwrap();
    assert_eq!(platform["url"], format!("{}/", app.api), "the platform is where it is now");
    std::fs::remove_dir_all(folder).unwrap();
}

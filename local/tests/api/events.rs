//! The event files: each is sent to its function as it stands, on the records of `events/fixtures.json`.

use std::collections::BTreeSet;

use local::{binaries, events};
use serde_json::Value;

use crate::{fixtures, support::TestApp};

#[test]
fn the_environment_for_sam_local_has_the_pepper_of_the_fixtures() {
    let file = std::fs::read(binaries::project_root().unwrap().join("events/env.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(file["Parameters"]["PEPPER"], fixtures::PEPPER);
}

#[tokio::test]
async fn every_event_is_answered_as_expected() {
    let app = TestApp::start_with(|options| {
        options.environment.insert("PEPPER".to_owned(), fixtures::PEPPER.to_owned());
    })
    .await;
    let records = fixtures::all();
    let cases = events::read_all(&binaries::project_root().unwrap().join("events")).unwrap();
    let mut problems = Vec::new();
    for case in &cases {
        app.tables.replace(&records).unwrap();
        let answer = app.invoke(&case.function, &case.event).await.unwrap_or_else(|error| error);
        problems.extend(case.check(&answer).err().map(|problem| problem.to_string()));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
    let covered: BTreeSet<_> = cases.iter().map(|case| case.function.as_str()).collect();
    let template = std::fs::read_to_string(binaries::project_root().unwrap().join("template.yaml")).unwrap();
    let functions = template.lines().filter_map(|line| line.trim().strip_prefix("Binary: ")).collect();
    assert_eq!(covered, functions, "every function has events");
}

//! The event files: each is sent to its function as it stands, on the records of `events/fixtures.json`.

use std::collections::BTreeSet;

use local::{binaries, events};
use serde_json::Value;

use crate::{fixtures, support::TestApp};

/// The test-only peppers, as `PEPPER_A` and `PEPPER_B` hold them.
const PEPPERS: [(&str, &str); 3] = [
    ("PEPPER_CURRENT", "A"),
    ("PEPPER_A", "1:test-only-pepper-in-slot-a-0000000000"),
    ("PEPPER_B", "1:test-only-pepper-in-slot-b-0000000000"),
];

#[test]
fn the_fixtures_are_what_their_generator_prints() {
    let file = std::fs::read(binaries::project_root().unwrap().join("events/fixtures.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    assert!(file == fixtures::all(), "cargo run -p tools -- fixtures > events/fixtures.json");
}

#[test]
fn the_environment_for_sam_local_has_the_peppers_of_the_fixtures() {
    let file = std::fs::read(binaries::project_root().unwrap().join("events/env.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    for (name, value) in PEPPERS {
        assert_eq!(file["Parameters"][name], value, "{name}");
    }
}

#[tokio::test]
async fn every_event_is_answered_as_expected() {
    let app = TestApp::start_with(|options| {
        options.environment.extend(PEPPERS.map(|(name, value)| (name.to_owned(), value.to_owned())));
    })
    .await;
    let records = fixtures::all();
    let cases = events::read_all(&binaries::project_root().unwrap().join("events")).unwrap();
    let mut problems = Vec::new();
    for case in &cases {
        app.system.backends.tables.replace(&records).unwrap();
        let answer = app.system.invoke(&case.function, &case.event).await.unwrap_or_else(|error| error);
        problems.extend(case.check(&answer).err().map(|problem| problem.to_string()));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
    let covered: BTreeSet<_> = cases.iter().map(|case| case.function.as_str()).collect();
    assert_eq!(covered.len(), 10, "every function has events: {covered:?}");
}

//! Copies that stand in other languages than Rust, or far from what they repeat: patterns, lists and names. Sentences are
//! those of [`crate::prose`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use local::template::Route;
use regex_lite::Regex;
use shared::{
    app::Grant,
    passcode::{Passcode, limits::DIGITS},
};

use crate::{all_sources, description::answered_errors, openapi, read, root, template};

/// What stands in these files and folders, each text with its path.
pub fn texts(places: &[&str]) -> Vec<(String, String)> {
    const BUILT: [&str; 4] = ["target", "node_modules", "dist", ".tools"];
    let mut texts = Vec::new();
    let mut left: Vec<_> = places.iter().map(|place| root().join(place)).collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let inside = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            left.extend(inside.filter(|path| !BUILT.iter().any(|built| path.ends_with(built))));
        } else if path.extension().is_some_and(|extension| extension == "patch") {
            // It says what might be.
        } else if let Ok(text) = fs::read_to_string(&path) {
            texts.push((path.strip_prefix(root()).unwrap().display().to_string(), text));
        }
    }
    texts
}

/// Whoever looks for a passcode in a text, in whatever language.
#[test]
fn patterns_of_a_passcode_have_as_many_digits_as_one() {
    let halves = Regex::new(r"(?:\\d|\[0-9\])\{(\d)\}[)]?(?: |\[ -\]\??)[(]?(?:\\d|\[0-9\])\{(\d)\}").unwrap();
    let mut seen = BTreeSet::new();
    for (path, text) in texts(&["README.md", "examples", "check.d", "local/src", "local/assets"]) {
        for found in halves.captures_iter(&text) {
            let half = |group: usize| found[group].parse::<usize>().unwrap();
            assert_eq!((half(1), half(2)), (DIGITS / 2, DIGITS - DIGITS / 2), "{path}: {}", &found[0]);
            seen.insert(path.clone());
        }
    }
    assert!(seen.len() > 10, "{seen:?}");
}

/// The passcode of all examples is the first digits of these.
#[test]
fn the_passcode_of_the_examples_has_as_many_digits_as_one() {
    let code = Regex::new(r"\b123\d*(?: |\u{a0}|\\u\{a0\})?\d+\b").unwrap();
    let mut seen = 0;
    let read = ["README.md", "docs", "openapi.yaml", "examples/partner-site", "local/src/cli", "check.d/browser"];
    for (path, text) in texts(
        &[&read[..], &["local/tests/api/reference.rs", "local/src/mailbox/mod.rs", "shared/src/passcode"]].concat(),
    ) {
        for found in code.find_iter(&text) {
            let digits: String = found.as_str().replace("a0", "").chars().filter(char::is_ascii_digit).collect();
            if digits.len() < 10 && "1234567890".starts_with(&digits) {
                assert_eq!(digits.len(), DIGITS, "{path}: {}", found.as_str());
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "{seen}");
}

/// The generated clients' stories and the peers of the benchmark, which need other tools to run, and the black-box tests.
#[test]
fn clients_and_peers_speak_of_errors_as_they_are_answered() {
    let mut answered = answered_errors();
    answered.insert(["404", "route_not_found", "Not found."].map(str::to_owned).into());
    let status = Regex::new(r#"(\d{3}|HTTPStatus\.[A-Z_]+)(?:, "| )([a-z]+_[a-z_]+)""#).unwrap();
    let number = |status: &str| {
        let names = [
            ("BAD_REQUEST", "400"),
            ("UNAUTHORIZED", "401"),
            ("FORBIDDEN", "403"),
            ("NOT_FOUND", "404"),
            ("CONFLICT", "409"),
        ];
        let name = status.trim_start_matches("HTTPStatus.");
        names.iter().find(|(known, _)| *known == name).map_or(name, |(_, number)| number).to_owned()
    };
    let mut stories = BTreeSet::new();
    for (path, text) in texts(&["examples/generated", "check.d/engines", "local/tests/api"]) {
        for found in status.captures_iter(&text) {
            let (status, code) = (number(&found[1]), &found[2]);
            assert!(answered.iter().any(|error| error.0 == status && error.1 == code), "{path}: {}", &found[0]);
            stories.insert(path.clone());
        }
    }
    assert!(stories.len() > 4, "{stories:?}");

    let reply = Regex::new(r#"reply\((\d{3}), .*"?message"?: "([^"]+)""#).unwrap();
    let mut peers = BTreeSet::new();
    for (path, text) in texts(&["bench/peers"]) {
        // What bench/peers/install has copied.
        if path.contains("/package/") {
            continue;
        }
        for found in reply.captures_iter(&text) {
            let [status, message] = [1, 2].map(|group| found[group].to_owned());
            assert!(answered.iter().any(|error| error.0 == status && error.2 == message), "{path}: {}", &found[0]);
            peers.insert(path.clone());
        }
    }
    assert_eq!(peers.len(), 3, "{peers:?}");
}

/// The table of codes, which people read.
#[test]
fn the_table_of_codes_has_the_statuses_that_are_answered() {
    let openapi = openapi();
    let table = openapi["components"]["schemas"]["ApiError"]["description"].as_str().unwrap();
    for (status, code, _) in answered_errors() {
        assert!(table.contains(&format!("| `{code}` | {status} |")), "{code} is {status}");
    }
}

/// Where a language of the mails is named or looked at.
#[test]
fn every_language_of_the_mails_is_documented_and_looked_at() {
    let (operations, browser) = (read("docs/operations.md"), read("check.d/browser/mail.test.mjs"));
    let pair = Regex::new(r#"([a-z]{2}): "([^"]+)""#).unwrap();
    let map = browser.split_once("const languages = {").unwrap().1.split_once('}').unwrap().0;
    let looked_at: Vec<(String, String)> =
        pair.captures_iter(map).map(|found| (found[1].to_owned(), found[2].to_owned())).collect();
    let row = operations.lines().find(|line| line.starts_with("| `language` |")).unwrap();
    let tag = Regex::new("`([a-z]{2})`").unwrap();
    let documented: BTreeSet<String> = tag.captures_iter(row).map(|found| found[1].to_owned()).collect();
    let languages: BTreeSet<String> = fs::read_dir(root().join("functions/send-passcode/locales"))
        .unwrap()
        .map(|file| Path::new(&file.unwrap().file_name()).file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(documented, languages);
    assert_eq!(looked_at.iter().map(|(tag, _)| tag.clone()).collect::<BTreeSet<_>>(), languages);
    for (tag, subject) in looked_at {
        let locale: serde_json::Value =
            serde_json::from_str(&read(&format!("functions/send-passcode/locales/{tag}.json"))).unwrap();
        assert!(locale["subject"].as_str().unwrap().starts_with(&subject), "{tag}: {subject}");
    }
}

/// A grant that no function asks for gives nothing, and one that callers are not told of is a riddle to them.
#[test]
fn every_grant_is_asked_for_and_told_of() {
    let (sources, openapi) = (all_sources(), read("openapi.yaml"));
    for grant in Grant::ALL {
        assert!(sources.contains(&format!(".require(Grant::{grant:?})")), "no function asks for {grant:?}");
        assert!(openapi.contains(&format!("the grant `{}`", grant.name())), "openapi.yaml is silent on {grant:?}");
    }
}

/// A query or a metric that reads a field which no line has finds nothing.
#[test]
fn queries_and_metrics_read_fields_that_are_logged() {
    let (operations, template, sources) = (read("docs/operations.md"), read("template.yaml"), all_sources());
    let mut read: BTreeSet<String> = BTreeSet::new();
    let compared = Regex::new(r"(?:filter|and) ([a-z_]+) = ").unwrap();
    let counted = Regex::new(r"\(([a-z_]+)[,)]").unwrap();
    let listed = Regex::new(r"(?:by|fields @timestamp,) ([a-z_]+(?:, [a-z_]+)*)").unwrap();
    let is_query = |line: &&str| line.starts_with("filter ") || line.contains("| filter ");
    for query in operations.lines().chain(template.lines()).filter(is_query) {
        for found in [&compared, &counted, &listed].into_iter().flat_map(|form| form.captures_iter(query)) {
            read.extend(found[1].split(", ").map(str::to_owned));
        }
    }
    // What API Gateway writes has its fields in `Format`.
    let metric = Regex::new(r"(?:[{] |&& |Value: )\$\.([a-z_]+)").unwrap();
    let formats = Regex::new(r#""([a-z_]+)": ?"?\$context"#).unwrap();
    let of_the_gateway: BTreeSet<String> = formats.captures_iter(&template).map(|found| found[1].to_owned()).collect();
    read.extend(metric.captures_iter(&template).map(|found| found[1].to_owned()));
    assert!(read.len() > 8, "{read:?}");
    for field in read {
        // Every line of the log has the first four, and those that Lambda writes itself the others.
        let of_every_line = ["level", "message", "target", "timestamp", "type", "record"].contains(&&*field);
        let logged = Regex::new(&format!(r"\b{field}(?: = |,)")).unwrap();
        let is_logged = logging(&sources).iter().any(|call| logged.is_match(call));
        assert!(of_every_line || of_the_gateway.contains(&field) || is_logged, "no line has {field}");
    }
}

/// What stands in the calls that write to the log.
fn logging(sources: &str) -> Vec<&str> {
    sources.split("tracing::").skip(1).filter_map(|call| Some(call.split_once(");")?.0)).collect()
}

/// The site gives up only when the slowest of the functions that it calls has.
#[test]
fn the_partners_site_waits_for_the_slowest_function() {
    let functions = template().functions;
    // The site lists no customers.
    let called = functions.iter().filter(|function| !["list-customers", "operator"].contains(&&*function.name));
    let slowest = called.map(|function| function.timeout.as_secs()).max().unwrap();
    let patience = format!("const PATIENCE: Duration = Duration::from_secs({});", slowest + 5);
    assert!(read("examples/partner-site/src/api.rs").contains(&patience), "{patience}");
}

/// A test that a document cites, by its whole name or by its beginning, is one that there is.
#[test]
fn every_test_that_a_document_cites_is_there() {
    let cited = Regex::new(r"`([a-z_]+)::([a-z][a-z_]+)(…?)`").unwrap();
    let mut seen = 0;
    for (path, text) in texts(&["docs", "README.md", "CONTRIBUTING.md"]) {
        for found in cited.captures_iter(&text) {
            let files = ["local/tests/api", "tools/tests/consistency"];
            let file = files
                .iter()
                .find_map(|folder| fs::read_to_string(root().join(folder).join(format!("{}.rs", &found[1]))).ok());
            let Some(file) = file else { continue };
            let end = if found[3].is_empty() { "(" } else { "" };
            assert!(file.contains(&format!("fn {}{end}", &found[2])), "{path} cites {}", &found[0]);
            seen += 1;
        }
    }
    assert!(seen > 5, "{seen}");
}

/// A guess that has not the form of a passcode is refused before anything is counted or compared.
#[test]
fn tests_guess_passcodes_of_the_right_length() {
    let guess = Regex::new(r#"(?:\.auth\([^)]*, "|passcode=)(\d+)""#).unwrap();
    let mut seen = 0;
    for (path, text) in texts(&["local/tests/api"]) {
        for found in guess.captures_iter(&text) {
            assert!(Passcode::parse(&found[1]).is_some(), "{path}: {}", &found[0]);
            seen += 1;
        }
    }
    assert!(seen > 3, "{seen}");
}

/// An event whose passcode has not the form of one shows nothing but that.
#[test]
fn events_guess_passcodes_of_the_right_length() {
    let cases = local::events::read_all(&root().join("events")).unwrap();
    let mut right = None;
    for case in cases.iter().filter(|case| case.function == "auth" && case.name != "too-few-digits") {
        let sent = [&case.event["queryStringParameters"]["passcode"], &case.event["headers"]["x-access-passcode"]];
        for passcode in sent.into_iter().filter_map(serde_json::Value::as_str).filter(|sent| !sent.is_empty()) {
            let passcode = Passcode::parse(passcode).unwrap_or_else(|| panic!("auth/{}: {passcode}", case.name));
            if case.name == "right-passcode" {
                right = Some(passcode.grouped());
            }
        }
    }
    let told = format!("Ada's is {} under the pepper", right.unwrap());
    assert!(read("events/README.md").contains(&told), "{told}");
}

#[test]
fn the_fixtures_are_what_their_generator_prints() {
    let file: serde_json::Value = serde_json::from_str(&read("events/fixtures.json")).unwrap();
    assert!(file == tools::fixtures::all(), "cargo run -p tools -- fixtures > events/fixtures.json");
}

/// Where functions or routes are listed beside the template: the dashboard, the table of round trips, and the tests of
/// faults.
#[test]
fn functions_and_routes_are_listed_wherever_all_are() {
    let (text, stage) = (read("template.yaml"), read("local/tests/api/faults/stage.rs"));
    let variable = Regex::new(r"\{[a-z]+\}").unwrap();
    let table = variable.replace_all(&read("docs/architecture.md"), "{}").into_owned();
    for function in template().functions {
        let label = format!("{{\"label\": \"{}\"}}", function.name);
        assert_eq!(text.matches(&label).count(), 2, "widgets of durations and of errors: {}", function.name);
        for route in function.routes.iter().map(Route::key).filter(|key| key != "$default") {
            let route = variable.replace_all(&route, "{}");
            let row = |line: &str| line.starts_with("| `") && line.contains(&format!("`{route}`"));
            assert!(table.lines().any(row), "docs/architecture.md does not count the round trips of {route}");
            let named = format!("=> \"{}\"", function.name);
            assert!(stage.contains(&named), "no fault is tried on {}", function.name);
        }
    }
}

/// An event says its query twice, and the functions read one of the two.
#[test]
fn events_say_their_query_alike_twice() {
    let mut seen = 0;
    for case in local::events::read_all(&root().join("events")).unwrap() {
        let Some(raw) = case.event["rawQueryString"].as_str() else { continue };
        let pairs = url::form_urlencoded::parse(raw.as_bytes());
        let pairs: BTreeMap<_, _> = pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let listed = case.event["queryStringParameters"].as_object().into_iter().flatten();
        let listed: BTreeMap<_, _> =
            listed.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        assert_eq!(pairs, listed, "{}/{}", case.function, case.name);
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

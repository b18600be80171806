//! What callers are told in `openapi.yaml` is what the code does.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;
use serde_json::Value;
use shared::profile;

use crate::{all_sources, openapi, read, root, walk};

/// What `part` of the description `openapi` says, whether it stands there or is referred to.
fn resolve<'a>(openapi: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str() {
        Some(place) => resolve(openapi, openapi.pointer(place.trim_start_matches('#')).unwrap()),
        None => part,
    }
}

/// Status, code and message of every error that the description has an example of.
fn described_errors(openapi: &Value) -> BTreeSet<(String, String, String)> {
    let mut described = BTreeSet::new();
    for operation in openapi["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let content = &resolve(openapi, response)["content"]["application/json"];
            for example in content["examples"].as_object().into_iter().flatten().map(|(_, example)| example) {
                let body = &resolve(openapi, example)["value"];
                if let (Some(code), Some(message)) = (body["code"].as_str(), body["message"].as_str()) {
                    described.insert((status.clone(), code.to_owned(), message.to_owned()));
                }
            }
        }
    }
    described
}

/// The errors of `http::reply`, and for `internal_error` the steps that can fail.
pub fn answered_errors() -> BTreeSet<(String, String, String)> {
    let source = read("shared/src/http/reply.rs");
    let words = source.split_once("fn words").unwrap().1.split_once("\n}\n").unwrap().0;
    let line = Regex::new(r#"\(\s*(\d{3}),\s*"([a-z_]+)",\s*"([^"]*)""#).unwrap();
    let mut answered: BTreeSet<_> =
        line.captures_iter(words).map(|found| [1, 2, 3].map(|part| found[part].to_owned()).into()).collect();
    // No path leads to this one.
    assert!(answered.remove(&["404", "route_not_found", "Not found."].map(str::to_owned).into()));
    let step = Regex::new(r#"const [A-Z_]*STEP: &str =\s*"([^"]*)""#).unwrap();
    let failed = |step: &str| ["500", "internal_error", step].map(str::to_owned).into();
    answered.extend(step.captures_iter(&all_sources()).map(|found| failed(&found[1])));
    answered
}

#[test]
fn every_error_has_the_status_the_code_and_the_message_that_are_described() {
    let (described, answered) = (described_errors(&openapi()), answered_errors());
    assert!(answered.len() > 20, "{answered:?}");
    assert_eq!(described, answered);
}

/// Each operation has an example of every error that an event shows it to answer.
#[test]
fn every_error_of_an_event_is_described_for_its_route() {
    let openapi = openapi();
    let mut seen = 0;
    for event in local::events::read_all(&root().join("events")).unwrap() {
        let Some((method, path)) = event.event["routeKey"].as_str().and_then(|key| key.split_once(' ')) else {
            continue;
        };
        let (status, code) = (&event.expected["statusCode"], &event.expected["body"]["code"]);
        if code.is_null() || code == "route_not_found" {
            continue;
        }
        let response = &openapi["paths"][path][method.to_lowercase()]["responses"][status.to_string()];
        let examples = &resolve(&openapi, response)["content"]["application/json"]["examples"];
        let mut examples = examples.as_object().into_iter().flatten().map(|(_, example)| resolve(&openapi, example));
        assert!(
            examples.any(|example| example["value"]["code"] == *code),
            "{method} {path} has no example of {status} {code}, which {}/{} shows",
            event.function,
            event.name
        );
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn nothing_is_described_that_no_operation_refers_to() {
    let (openapi, text) = (openapi(), read("openapi.yaml"));
    for (kind, parts) in
        openapi["components"].as_object().unwrap().iter().filter(|(kind, _)| *kind != "securitySchemes")
    {
        for name in parts.as_object().unwrap().keys() {
            assert!(text.contains(&format!("#/components/{kind}/{name}'")), "nothing refers to {kind}/{name}");
        }
    }
}

/// The names of a schema's properties, with the most characters that each may have.
fn properties(schema: &Value) -> BTreeMap<String, Option<u64>> {
    let properties = schema["properties"].as_object().unwrap().iter();
    properties.map(|(name, property)| (name.clone(), property["maxLength"].as_u64())).collect()
}

fn names(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn a_customer_has_the_fields_and_the_lengths_that_are_described() {
    let openapi = openapi();
    let schemas = &openapi["components"]["schemas"];
    let length = |field: &profile::Field| (field.name.to_owned(), u64::try_from(field.max_characters).ok());
    let mut sent: BTreeMap<_, _> = profile::FIELDS.iter().map(length).collect();
    let mut shown: BTreeSet<_> = sent.keys().cloned().collect();
    assert_eq!(properties(&schemas["CustomerChange"]), sent);
    sent.insert("email".to_owned(), Some(254));
    assert_eq!(properties(&schemas["CustomerDetails"]), sent);
    shown.extend(["cuid", "email", "email_verified", "mail", "created_at"].map(str::to_owned));
    assert_eq!(properties(&schemas["Customer"]).into_keys().collect::<BTreeSet<_>>(), shown);

    let mut required: BTreeSet<_> = profile::FIELDS.iter().filter(|field| field.required).map(|it| it.name).collect();
    required.insert("email");
    assert_eq!(names(&schemas["CustomerDetails"]["required"]), required);
    required.extend(["cuid", "created_at", "email_verified"]);
    assert_eq!(names(&schemas["Customer"]["required"]), required);
}

/// The examples of a whole record, the events that show one, and the messages about lengths.
#[test]
fn every_field_of_a_customer_is_shown_and_its_length_told() {
    let openapi = openapi();
    let creation = &openapi["paths"]["/customer"]["post"]["requestBody"]["content"]["application/json"];
    let example = &creation["examples"]["full"]["value"];
    let record = &openapi["paths"]["/customer/{identifier}"]["get"]["responses"]["200"]["content"]["application/json"];
    let shown = &record["examples"]["customer"]["value"];
    let events = local::events::read_all(&root().join("events")).unwrap();
    let mut records = Vec::new();
    for event in &events {
        let sent: Value =
            event.event["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
        let taken_away = |name: &str| {
            [&event.event, &sent]
                .into_iter()
                .any(|fields| fields.get(name).is_some_and(|sent| sent.is_null() || sent == ""))
        };
        // Ada's record is whole but for what an event takes away; other customers have little more than a company.
        walk(&event.expected, &mut |value| {
            let given = profile::field_names().filter(|name| value[name].is_string()).count();
            if value["cuid"].is_string() && given > profile::FIELDS.len() / 2 {
                let lacks = profile::field_names().filter(|name| !value[name].is_string() && !taken_away(name));
                records.push((format!("{}/{}", event.function, event.name), lacks.collect::<Vec<_>>()));
            }
        });
    }
    assert!(records.len() > 10, "{records:?}");
    for (event, lacks) in &records {
        assert!(lacks.is_empty(), "{event} does not show {lacks:?}");
    }
    for field in &profile::FIELDS {
        assert!(example[field.name].is_string(), "the example of POST /customer lacks {}", field.name);
        assert!(shown[field.name].is_string(), "the example of GET /customer/{{cuid}} lacks {}", field.name);
        let figures = field.max_characters.to_string();
        assert_eq!(field.too_long.replace(',', "").split(' ').nth(4), Some(&*figures), "{}", field.name);
    }
}

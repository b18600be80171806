//! `openapi.yaml` stays a description that clients can be generated from, and that older clients survive changes of.
//! `./check clients` generates some; this tells which rule a change breaks.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, fs};

use local::binaries;
use serde_json::Value;

fn openapi() -> Value {
    let text = fs::read_to_string(binaries::project_root().unwrap().join("openapi.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// Every value below `value`, itself among them, with the names that lead to it.
fn walk<'a>(path: &mut Vec<String>, value: &'a Value, visit: &mut impl FnMut(&[String], &'a Value)) {
    visit(path, value);
    let below: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), field)).collect(),
        _ => return,
    };
    for (name, value) in below {
        path.push(name);
        walk(path, value, visit);
        path.pop();
    }
}

/// Every schema, with the names that lead to it: what `schema`, `items` or a schema's `properties` holds, and the named.
fn schemas(openapi: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    walk(&mut Vec::new(), openapi, &mut |path, value| {
        let is_schema = match path {
            [.., _, name] if name == "schema" || name == "items" => true,
            [.., properties, _] => properties == "properties" || path.len() == 3 && path[1] == "schemas",
            _ => false,
        };
        // Among the examples a customer's `state` may be called anything.
        if is_schema && !path.contains(&"examples".to_owned()) {
            found.push((path.join("."), value));
        }
    });
    assert!(found.len() > 50, "{found:?}");
    found
}

/// `value`, or what it refers to.
fn resolve<'a>(openapi: &'a Value, value: &'a Value) -> &'a Value {
    let Some(reference) = value["$ref"].as_str() else { return value };
    openapi.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

/// Every operation, with its method and path.
fn operations(openapi: &Value) -> Vec<(String, &Value)> {
    let paths = openapi["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

/// The names of the schemas that a JSON body has, or its items.
fn body_schemas<'a>(openapi: &'a Value, bodies: impl Iterator<Item = &'a Value>) -> BTreeSet<&'a str> {
    let schemas = bodies.map(|body| &resolve(openapi, body)["content"]["application/json"]["schema"]);
    let named = schemas.filter(|schema| !schema.is_null()).map(|schema| {
        let schema = if schema["type"] == "array" { &schema["items"] } else { schema };
        schema["$ref"].as_str().unwrap_or_else(|| panic!("no name: {schema}")).rsplit('/').next().unwrap()
    });
    named.collect()
}

#[test]
fn references_lead_to_whole_components_and_stand_alone() {
    let openapi = openapi();
    let mut found = 0;
    walk(&mut Vec::new(), &openapi, &mut |path, value| {
        let Some(reference) = value["$ref"].as_str() else { return };
        found += 1;
        assert_eq!(reference.split('/').count(), 4, "{path:?}: {reference}");
        assert_eq!(value.as_object().unwrap().len(), 1, "{path:?}: {value}");
        resolve(&openapi, value);
    });
    assert!(found > 50, "{found}");
}

#[test]
fn schemas_are_of_a_kind_that_every_generator_knows() {
    let openapi = openapi();
    assert_eq!(openapi["openapi"], "3.0.3");
    for (path, schema) in schemas(&openapi) {
        assert!(schema["$ref"].is_string() || schema["type"].is_string(), "{path} has not one type: {schema}");
        for keyword in ["const", "allOf", "anyOf", "oneOf", "not", "if"] {
            assert!(schema.get(keyword).is_none(), "{path}: {keyword}");
        }
        let named = path.starts_with("components.schemas.") && path.matches('.').count() == 2;
        assert!(schema["type"] != "object" || named, "{path} has no name");
        let pattern = schema["pattern"].as_str().unwrap_or_default();
        assert!(!pattern.contains("(?") && !pattern.contains("\\u"), "{path}: {pattern}");
    }
}

#[test]
fn an_error_is_one_schema() {
    let openapi = openapi();
    for (name, operation) in operations(&openapi) {
        let responses = operation["responses"].as_object().unwrap().iter();
        let errors = responses.filter(|(status, _)| status.starts_with(['4', '5'])).map(|(_, response)| response);
        assert_eq!(body_schemas(&openapi, errors), BTreeSet::from(["ApiError"]), "{name}");
    }
}

/// The query string is told in prose: a client that is offered it sends credentials there as well.
#[test]
fn credentials_are_headers() {
    let openapi = openapi();
    let schemes = openapi["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!(schemes.len(), 6);
    for (name, scheme) in schemes {
        assert_eq!((&scheme["type"], &scheme["in"]), (&"apiKey".into(), &"header".into()), "{name}");
    }
    let told: Vec<&str> = schemes.values().map(|scheme| scheme["description"].as_str().unwrap()).collect();
    for name in ["superkey", "supertoken", "key", "token"] {
        assert!(told.iter().any(|text| text.contains(&format!("`{name}`"))), "nothing tells of {name}");
    }
}

/// A closed request tells a misspelt field; an open reply lets an older client read a field that came later.
#[test]
fn requests_are_closed_and_bounded_and_replies_are_open() {
    let openapi = openapi();
    let operations = operations(&openapi);
    let schemas = &openapi["components"]["schemas"];
    let sent = body_schemas(&openapi, operations.iter().map(|(_, operation)| &operation["requestBody"]));
    assert!(sent.len() > 1, "{sent:?}");
    for name in sent {
        assert_eq!(schemas[name]["additionalProperties"], false, "{name}");
        for (field, schema) in schemas[name]["properties"].as_object().unwrap() {
            assert!(schema["type"] != "string" || schema["maxLength"].is_u64(), "{name}.{field} has no maxLength");
        }
    }
    for (name, operation) in &operations {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = resolve(&openapi, parameter);
            let schema = &parameter["schema"];
            assert!(schema["type"] != "string" || schema["maxLength"].is_u64(), "{name}: {parameter}");
        }
    }
    let responses = operations.iter().flat_map(|(_, operation)| operation["responses"].as_object().unwrap().values());
    let read = body_schemas(&openapi, responses);
    assert!(read.len() > 3, "{read:?}");
    for name in read {
        assert_eq!(schemas[name]["additionalProperties"], true, "{name}");
        for (field, schema) in schemas[name]["properties"].as_object().unwrap() {
            assert_ne!(schema["format"], "uri", "{name}.{field}: what was once stored need not be one");
            assert!(schema.get("enum").is_none(), "{name}.{field}: another value would break a strict client");
        }
    }
}

#[test]
fn a_record_has_every_field_that_can_be_given() {
    let openapi = openapi();
    let fields = |name: &str| -> BTreeSet<String> {
        openapi["components"]["schemas"][name]["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let (given, read) = (fields("CustomerDetails"), fields("Customer"));
    assert!(given.is_subset(&read), "{given:?} {read:?}");
}

/// Go's constructor of a `Customer` is `NewCustomer`.
#[test]
fn no_schema_is_called_as_a_constructor_of_another() {
    let openapi = openapi();
    let schemas = openapi["components"]["schemas"].as_object().unwrap();
    for name in schemas.keys() {
        assert!(!schemas.contains_key(name.trim_start_matches("New")) || !name.starts_with("New"), "{name}");
    }
}

/// The first server is the one that a generated client calls unless it is told otherwise.
#[test]
fn the_first_server_is_a_deployment() {
    let openapi = openapi();
    assert_eq!(openapi["servers"][0]["url"], "https://{host}");
    assert!(openapi["servers"][0]["variables"]["host"]["default"].is_string());
    assert_eq!(openapi["servers"][1]["url"], "http://127.0.0.1:9000");
}

//! What stands in more than one place stands there alike: routes, functions, variables, codes, settings.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod commands;
mod copies;
mod description;
mod imports;
mod prose;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

use local::{
    binaries,
    template::{Function, Route, Secrets, Template},
};
use regex_lite::Regex;
use serde_json::Value;

/// Variables that a function does without, and where one learns of them: all others that the template sets are
/// required.
const OPTIONAL: [&str; 4] =
    ["LOG_LEVEL", "SES_CONFIGURATION_SET", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SESV2"];
/// Variables that the C library reads.
const OF_THE_C_LIBRARY: [&str; 2] = ["GLIBC_TUNABLES", "RES_OPTIONS"];

fn root() -> PathBuf {
    binaries::project_root().unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn template_with(overrides: &[(&str, &str)]) -> anyhow::Result<Template> {
    let overrides = overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Template::load(&read("template.yaml"), &overrides, &mut Secrets::default())
}

fn template() -> Template {
    template_with(&[]).unwrap()
}

fn openapi() -> Value {
    serde_saphyr::from_str(&read("openapi.yaml")).unwrap()
}

/// What cargo knows of the workspace and its packages.
fn cargo_metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The names of the packages under `functions/`.
fn function_crates() -> BTreeSet<String> {
    let metadata = cargo_metadata();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let deployed = packages.filter(|package| package["manifest_path"].as_str().unwrap().contains("/functions/"));
    deployed.map(|package| package["name"].as_str().unwrap().to_owned()).collect()
}

/// The template's routes by key, each with its function's name.
fn template_routes() -> BTreeMap<String, String> {
    let routes = template().functions.into_iter().flat_map(|function| {
        let name = function.name.clone();
        function.routes.into_iter().map(move |route| (route.key(), name.clone()))
    });
    routes.collect()
}

/// Every value of `value`, itself among them.
fn walk<'a>(value: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| walk(field, visit)),
        _ => {}
    }
}

#[test]
fn the_reference_describes_every_route_and_no_other() {
    let openapi = openapi();
    let mut described = BTreeSet::new();
    for (path, operations) in openapi["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let deployed: BTreeSet<String> = template_routes().into_keys().filter(|key| key != "$default").collect();
    assert_eq!(described, deployed);
}

#[test]
fn cargo_lambda_watch_serves_the_same_routes_by_the_same_functions() {
    let metadata = cargo_metadata();
    let mut served = BTreeMap::new();
    for (path, functions) in metadata["metadata"]["lambda"]["watch"]["router"].as_object().unwrap() {
        for function in functions.as_array().unwrap() {
            let method = function["method"].as_str().unwrap();
            served.insert(format!("{method} {path}"), function["function"].as_str().unwrap().to_owned());
        }
    }
    // It has no $default, which serves this one.
    let by_default = served.remove("GET /customer/").unwrap();
    let mut deployed = template_routes();
    assert_eq!(deployed.remove("$default").unwrap(), by_default);
    assert_eq!(served, deployed);
}

#[test]
fn a_functions_code_names_the_routes_that_lead_to_it() {
    for (key, function) in template_routes().into_iter().filter(|(key, _)| key != "$default") {
        let main = read(&format!("functions/{function}/src/main.rs"));
        assert!(main.contains(&format!("`{key}`")), "{function}'s main.rs does not name `{key}`");
    }
}

/// API Gateway refuses two names for one place in a path only when it is deployed.
#[test]
fn no_two_routes_name_a_path_variable_differently() {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for function in template().functions {
        for route in function.routes {
            let Route::Path { path, .. } = route else { continue };
            for (index, segment) in path.split('/').enumerate().filter(|(_, segment)| segment.starts_with('{')) {
                let before = path.split('/').take(index).collect::<Vec<_>>().join("/");
                let name = names.entry(before).or_insert_with(|| segment.to_owned());
                assert_eq!(name, segment, "in {path}");
            }
        }
    }
    assert!(!names.is_empty());
}

#[test]
fn crates_functions_and_folders_of_events_have_the_same_names() {
    let crates = function_crates();
    let deployed: BTreeSet<String> = template().functions.into_iter().map(|function| function.name).collect();
    assert_eq!(deployed, crates);
    let folders: BTreeSet<String> = fs::read_dir(root().join("events"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders, crates);
    for name in &crates {
        let resource = format!("  {}Function:\n", pascal_case(name));
        assert!(read("template.yaml").contains(&resource), "the template has no resource {resource}");
    }
}

/// Per-package settings of a profile have no wildcard, and the benchmark has a request for each function.
#[test]
fn every_function_is_built_for_size_and_measured() {
    let (manifest, contestants) = (read("Cargo.toml"), read("bench/src/contestants.rs"));
    for name in function_crates() {
        assert!(
            manifest.contains(&format!("\n{name} = {{ opt-level = \"s\", strip = true }}\n")),
            "Cargo.toml: {name}"
        );
        assert!(contestants.contains(&format!("(\"{name}\", ")), "bench: {name}");
    }
}

fn pascal_case(name: &str) -> String {
    let capitalise = |word: &str| word[..1].to_uppercase() + &word[1..].to_lowercase();
    name.split(['-', '_']).map(capitalise).collect()
}

/// Starts each function with fewer variables than it needs, and lets it say what is missing.
#[tokio::test]
async fn a_function_is_given_the_variables_that_it_reads_and_no_other() {
    let executables = binaries::build(&root(), false).await.unwrap();
    let sources = all_sources();
    for function in template().functions {
        let required = required_variables(&executables[&function.name], &function);
        let given: BTreeSet<&str> = function.environment.keys().map(String::as_str).collect();
        let needless = |variable: &&str| !required.contains(*variable) && !OF_THE_C_LIBRARY.contains(variable);
        for variable in given.into_iter().filter(needless) {
            assert!(OPTIONAL.contains(&variable), "{} is given {variable}, which it does not need", function.name);
            let read_by_the_sdk = variable.starts_with("AWS_ENDPOINT_URL_");
            assert!(read_by_the_sdk || sources.contains(&format!("\"{variable}\"")), "nothing reads {variable}");
        }
    }
}

/// The variables without which the function does not start.
fn required_variables(executable: &PathBuf, function: &Function) -> BTreeSet<String> {
    let complaint = Regex::new("The environment variable ([A-Z0-9_]+) is missing or empty").unwrap();
    let mut required = BTreeSet::new();
    loop {
        let environment = required.iter().map(|name: &String| (name, &function.environment[name]));
        let output = Command::new(executable)
            .env_clear()
            .envs(environment)
            // Nobody listens there: a function that has all it needs ends at its first call.
            .envs([("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1"), ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")])
            .envs([("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")])
            .envs([("AWS_LAMBDA_FUNCTION_NAME", &*function.name), ("AWS_LAMBDA_FUNCTION_VERSION", "1")])
            .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"), ("AWS_LAMBDA_LOG_GROUP_NAME", "logs")])
            .output()
            .unwrap();
        assert!(!output.status.success(), "{} goes on without Lambda", function.name);
        let said = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
        let Some(missing) = complaint.captures(&said) else { return required };
        let name = missing[1].to_owned();
        assert!(function.environment.contains_key(&name), "{} needs {name}, which it is not given", function.name);
        assert!(required.insert(name), "{}: {said}", function.name);
    }
}

/// A variable such as `APPS_TABLE` names `AppsTable`, and a function's policies speak of the tables that it knows.
#[test]
fn a_function_may_touch_the_tables_that_it_knows_and_no_other() {
    for function in template().functions {
        let variables = function.environment.iter().filter(|(name, _)| name.ends_with("_TABLE"));
        let known: BTreeSet<String> = variables
            .map(|(name, table)| {
                assert_eq!(*table, pascal_case(name), "{}", function.name);
                table.clone()
            })
            .collect();
        let mut allowed = BTreeSet::new();
        for statement in &function.statements {
            walk(&statement["Resource"], &mut |resource| {
                let table = resource.as_str().and_then(|arn| arn.split_once(":table/"));
                allowed.extend(table.map(|(_, table)| table.to_owned()));
            });
        }
        assert_eq!(allowed, known, "{}", function.name);
    }
}

/// The records of Apps and platforms stand several times. Nobody may update or delete one, and one module puts them.
#[test]
fn one_module_writes_the_records_that_stand_several_times() {
    for function in template().functions {
        for statement in &function.statements {
            let mut is_of_apps = false;
            walk(&statement["Resource"], &mut |it| {
                is_of_apps |= it.as_str().is_some_and(|arn| arn.ends_with("/AppsTable"));
            });
            let mut actions = Vec::new();
            walk(&statement["Action"], &mut |it| actions.extend(it.as_str().map(str::to_owned)));
            actions.retain(|action| is_of_apps && !["dynamodb:BatchGetItem", "dynamodb:Scan"].contains(&&**action));
            let allowed: &[&str] = if function.name == "operator" { &["dynamodb:PutItem"] } else { &[] };
            assert!(actions.iter().all(|action| allowed.contains(&&**action)), "{}: {actions:?}", function.name);
        }
    }
    let put = Regex::new(r"\.(put|put_if|create)\(\s*Table::Apps").unwrap();
    let sources = copies::texts(&["functions", "shared/src"]);
    let writers: BTreeSet<&str> =
        sources.iter().filter(|(_, text)| put.is_match(text)).map(|(path, _)| path.as_str()).collect();
    assert_eq!(writers, BTreeSet::from(["functions/operator/src/records.rs"]));
}

/// The code of the functions and of the library.
fn all_sources() -> String {
    let mut folders = vec![root().join("functions"), root().join("shared/src")];
    let mut sources = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources += &fs::read_to_string(path).unwrap();
            }
        }
    }
    sources
}

#[test]
fn the_reference_lists_the_codes_that_functions_answer() {
    let openapi = openapi();
    let error = &openapi["components"]["schemas"]["ApiError"];
    let listed = &error["properties"]["code"]["x-extensible-enum"];
    let listed: BTreeSet<&str> = listed.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();

    let source = read("shared/src/http/reply.rs");
    let words = source.split_once("fn words").unwrap().1.split_once("\n}\n").unwrap().0;
    let code = Regex::new("\"([a-z]+(?:_[a-z]+)+)\"").unwrap();
    let answered: BTreeSet<&str> = code.captures_iter(words).map(|found| found.get(1).unwrap().as_str()).collect();
    assert_eq!(listed, answered);

    let mut shown = BTreeSet::new();
    walk(&openapi, &mut |value| shown.extend(value["code"].as_str()));
    for code in listed {
        let row = format!("| `{code}` |");
        assert!(error["description"].as_str().unwrap().contains(&row), "no cause and cure of {code}");
        // No path leads to the one that says that there is no such path.
        assert!(shown.contains(code) || code == "route_not_found", "no example of {code}");
    }
}

#[test]
fn the_references_messages_are_those_of_the_code() {
    let (openapi, sources) = (openapi(), all_sources());
    let mut messages = BTreeSet::new();
    walk(&openapi, &mut |value| {
        if value.get("code").is_some_and(Value::is_string) || value.get("field").is_some_and(Value::is_string) {
            messages.extend(value["message"].as_str());
        }
    });
    assert!(messages.len() > 20, "{messages:?}");
    for message in messages {
        assert!(sources.contains(&format!("\"{message}\"")), "nothing answers {message:?}");
    }
}

/// Callers are told of these, so that a changed default or bound is a decision.
#[test]
fn settings_have_the_defaults_and_bounds_that_are_documented() {
    let settings = [
        ("PasscodeTtlSeconds", "600", "1", "600"),
        ("PasscodeCooldownSeconds", "30", "0", "300"),
        ("TicketTtlSeconds", "60", "1", "300"),
        ("CredentialTtlSeconds", "7776000", "60", "31536000"),
    ];
    let environment: BTreeMap<String, String> =
        template().functions.into_iter().flat_map(|function| function.environment).collect();
    for (name, default, least, most) in settings {
        let variable = Regex::new("([a-z])([A-Z])").unwrap().replace_all(name, "${1}_${2}").to_uppercase();
        assert_eq!(environment[&variable], default, "{name}");
        let beyond = |bound: &str, by: i64| (bound.parse::<i64>().unwrap() + by).to_string();
        for (value, allowed) in [(least, true), (most, true), (&*beyond(least, -1), false), (&*beyond(most, 1), false)]
        {
            assert_eq!(template_with(&[(name, value)]).is_ok(), allowed, "{name}={value}");
        }
    }
    assert_eq!(environment["ALLOW_QUERY_CREDENTIALS"], "true");
    assert!(template_with(&[("AllowQueryCredentials", "no")]).is_err());
}

#[test]
fn every_stage_of_samconfig_sets_parameters_that_exist_to_values_that_are_allowed() {
    let assignment = Regex::new("\"([A-Za-z]+)=([^\"]*)\"").unwrap();
    let samconfig = read("samconfig.toml");
    let stages: Vec<&str> = samconfig.split("parameter_overrides").skip(1).collect();
    assert_eq!(stages.len(), 2, "dev and prod");
    for stage in stages {
        let list = stage.split_once(']').unwrap().0;
        let overrides: Vec<(&str, &str)> = assignment
            .captures_iter(list)
            .map(|found| (found.get(1).unwrap().as_str(), found.get(2).unwrap().as_str()))
            .collect();
        assert!(!overrides.is_empty());
        template_with(&overrides).unwrap();
    }
}

/// An alarm on an event that no function logs would never go off.
#[test]
fn alarms_and_metrics_speak_of_what_is_logged() {
    let (template, sources) = (read("template.yaml"), all_sources());
    let named = Regex::new("Name: Event, Value: ([a-z_]+)|[$][.](?:target|message) = \"([a-z]+)\"").unwrap();
    let words: BTreeSet<&str> =
        named.captures_iter(&template).map(|found| found.get(1).or_else(|| found.get(2)).unwrap().as_str()).collect();
    assert!(words.len() > 4, "{words:?}");
    for word in words {
        assert!(sources.contains(&format!("\"{word}\"")), "nothing logs {word}");
    }
}

/// With `EncryptPepper` the functions that hold the pepper, and no others, are under its key and may decrypt with it.
#[test]
fn whoever_holds_the_pepper_is_under_its_key() {
    let holders = |template: &Template, holds: fn(&Function) -> bool| -> BTreeSet<String> {
        let functions = template.functions.iter().filter(|function| holds(function));
        functions.map(|function| format!("{}Function", pascal_case(&function.name))).collect()
    };
    let decrypts = |function: &Function| {
        let key = "arn:aws:kms:eu-west-1:123456789012:key/PepperKey";
        function.statements.iter().any(|it| it["Action"] == "kms:Decrypt" && it["Resource"] == key)
    };
    let encrypted = template_with(&[("EncryptPepper", "true")]).unwrap();
    let with_pepper = holders(&encrypted, |function| function.environment.contains_key("PEPPER"));
    assert_eq!(with_pepper.len(), 2, "{with_pepper:?}");
    assert_eq!(holders(&encrypted, decrypts), with_pepper);
    assert_eq!(holders(&template(), decrypts), BTreeSet::new(), "no permission on a key that is not there");

    let text = read("template.yaml");
    let encrypted = "\n      KmsKeyArn: !If [EncryptsPepper, !GetAtt PepperKey.Arn, !Ref AWS::NoValue]\n";
    let resource = Regex::new(r"(?m)^  ([A-Za-z]+):$").unwrap();
    let starts: Vec<_> = resource.captures_iter(&text).map(|found| found.get(1).unwrap()).collect();
    let ends = starts.iter().skip(1).map(regex_lite::Match::start).chain([text.len()]);
    let under_the_key = starts.iter().zip(ends).filter(|(name, end)| text[name.end()..*end].contains(encrypted));
    assert_eq!(under_the_key.map(|(name, _)| name.as_str().to_owned()).collect::<BTreeSet<_>>(), with_pepper);
    let samconfig = read("samconfig.toml");
    let (_, prod) = samconfig.split_once("[prod.global.parameters]").unwrap();
    assert!(prod.contains("\"EncryptPepper=true\""));
}

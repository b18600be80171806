//! What keeps `sam local`, which gives functions the developer's own credentials, from calling AWS.

use std::{collections::BTreeSet, fs, time::Duration};

use local::{
    binaries,
    system::{Options, System},
};
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::support::{executables, template};

/// As `sam local` without `--env-vars` starts a function: the template's endpoints are empty.
#[tokio::test]
async fn a_function_without_an_endpoint_calls_nothing_and_says_why() {
    let mut options = Options::new(template());
    let variables = [("AWS_SAM_LOCAL", "true"), ("AWS_ENDPOINT_URL_DYNAMODB", ""), ("AWS_ENDPOINT_URL_SESV2", "")];
    options.environment.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let system = System::start(&options, executables()).await.unwrap();
    let refusal = system.invoke("operator", &json!({ "command": "list_apps" })).await.unwrap_err();
    assert!(refusal["errorMessage"].as_str().unwrap().ends_with("Try again later."), "{refusal}");
    assert!(system.backends.calls.all().is_empty());
    let why =
        "Nothing is called: under sam local, AWS_ENDPOINT_URL_DYNAMODB has to be set (--env-vars events/env.json).";
    let said = tokio::time::timeout(Duration::from_secs(5), async {
        while !system.logs.lines().iter().any(|line| line.text.contains(why)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    said.await.expect("the log says why");
}

/// `--env-vars` overrides only what the template declares, and every endpoint that it declares has to be overridden.
#[test]
fn the_file_for_sam_local_has_every_endpoint_of_the_template() {
    let endpoint = Regex::new("(AWS_ENDPOINT_URL[A-Z0-9_]*): (.+)").unwrap();
    let template = template();
    let declared: BTreeSet<_> = endpoint.captures_iter(&template).map(|found| found[1].to_owned()).collect();
    assert_eq!(declared.len(), 2, "{declared:?}");
    let file = fs::read(binaries::project_root().unwrap().join("events/env.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    for name in declared {
        let url = file["Parameters"][&name].as_str().unwrap_or_default();
        assert!(url.starts_with("http://host.docker.internal:"), "{name}: {url}");
    }
    // In an `If`, SAM takes AWS::NoValue for the empty text, even where an endpoint is given.
    for found in endpoint.captures_iter(&template) {
        assert!(found[2].starts_with("!Ref "), "{}", &found[0]);
    }
}

/// Nobody is told to run `sam local` without the file that leads it to this machine.
#[test]
fn no_command_in_the_documents_leads_sam_local_to_aws() {
    let root = binaries::project_root().unwrap();
    let mut seen = 0;
    for file in ["README.md", "docs/deploy.md", "docs/fidelity.md", "events/README.md", "local/src/cli/banner.rs"] {
        let text = fs::read_to_string(root.join(file)).unwrap().replace("\\\n", " ");
        for line in text.lines().filter(|line| line.trim_start().starts_with("sam local ")) {
            assert!(line.contains("--env-vars events/env.json"), "{file}: {line}");
            seen += 1;
        }
    }
    assert!(seen > 2, "{seen} commands");
}

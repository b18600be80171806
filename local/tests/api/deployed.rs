//! The same tests over a deployment: with `DEPLOYED`, the file that `./check rehearsal` writes, they start no system and call
//! the API, the operator and the tables that were deployed. What only the local system has, such as faults on request,
//! a deployment has not; `check.d/engines/own-system.txt` names the tests that need it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    path::PathBuf,
};

use local::{
    binaries,
    demo::Demo,
    deployed::Deployed,
    dynamodb::Tables,
    mailbox::Mail,
    system::{Options, System},
    template::{Secrets, Template},
};
use reqwest::{Client, header};
use serde_json::{Value, json};

/// The system that a test has started. Over a deployment there is none.
pub struct Own(pub Option<System>);

impl Deref for Own {
    type Target = System;

    fn deref(&self) -> &System {
        let Some(system) = &self.0 else {
            panic!("this needs a system of its own: name the test in check.d/engines/own-system.txt")
        };
        system
    }
}

/// Where the deployment is, if the tests are to go over one.
pub fn deployed() -> Option<Deployed> {
    Some(Deployed::read(&PathBuf::from(std::env::var_os("DEPLOYED")?)).unwrap())
}

/// A deployment as a test finds it: with empty tables.
pub struct Stage {
    pub deployed: Deployed,
    pub template: Template,
    pub tables: Tables,
    /// Mails that were there before.
    earlier: usize,
}

impl Stage {
    /// Empties the tables. Only one test at a time can use it.
    pub fn clear(deployed: Deployed, options: &Options) -> Self {
        let as_asked = options.parameter_overrides.iter().all(|it| deployed.parameters.get(it.0) == Some(it.1));
        assert!(
            as_asked && options.environment.len() == 1 && options.data.is_none(),
            "the deployment has other settings: name the test in check.d/engines/own-system.txt"
        );
        let mut parameters = deployed.parameters.clone();
        // Which processors it was built for is no matter here.
        parameters.remove("Architecture");
        let template = Template::load(&options.template, &parameters, &mut Secrets::default()).unwrap();
        let tables = Tables::deployed(&template.tables, &deployed).unwrap();
        tables.replace(&json!({})).unwrap();
        let earlier = deployed.mails().unwrap().len();
        Self { deployed, template, tables, earlier }
    }

    /// Those that were sent since, the newest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.deployed.mails().unwrap().into_iter().skip(self.earlier).rev().collect()
    }

    /// A client that follows no redirect, for the name under which the API answers.
    pub fn client(&self) -> Client {
        let host = header::HeaderMap::from_iter([(header::HOST, self.deployed.host.parse().unwrap())]);
        Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).default_headers(host).build().unwrap()
    }

    /// What the local system makes for its newcomers.
    pub async fn demo(&self) -> Demo {
        let create = async |command: Value| self.deployed.invoke("operator", &command).await.unwrap();
        let url = format!("{}/", self.deployed.endpoint);
        let platform = create(json!({ "command": "create_platform", "name": "Demo platform", "url": url })).await;
        let grants = ["passcode", "nopasscode"];
        let platformkey = &platform["platformkey"];
        let app = json!({ "command": "create_app", "name": "Demo App", "grants": grants, "platform": platformkey });
        serde_json::from_value(json!({ "app": create(app).await, "platform": platform })).unwrap()
    }
}

/// Every test of this folder, by its name.
fn tests() -> BTreeSet<String> {
    let folder = binaries::project_root().unwrap().join("local/tests/api");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let sources = files.filter(|path| path.extension().is_some_and(|it| it == "rs"));
    let named = |path: PathBuf| {
        let (module, text) = (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path));
        let names = regex_lite::Regex::new(r"#\[(?:tokio::)?test.*\]\n(?:#\[.*\n)*(?:async )?fn (\w+)").unwrap();
        let text = text.unwrap();
        names.captures_iter(&text).map(|found| format!("{module}::{}", &found[1])).collect::<Vec<_>>()
    };
    sources.flat_map(named).collect()
}

#[test]
fn every_test_that_needs_a_system_of_its_own_is_one_and_is_named_once_with_a_reason() {
    let text =
        std::fs::read_to_string(binaries::project_root().unwrap().join("check.d/engines/own-system.txt")).unwrap();
    let (tests, mut named, mut reason) = (tests(), BTreeMap::new(), "");
    assert!(tests.contains("story::a_customer_signs_in_and_reaches_the_platform"), "{tests:?}");
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(words) = line.strip_prefix("# ") {
            reason = words;
        } else {
            assert!(tests.contains(line), "there is no test {line}");
            assert!(!reason.is_empty(), "no reason is given for {line}");
            assert_eq!(named.insert(line, reason), None, "{line} is named twice");
        }
    }
}

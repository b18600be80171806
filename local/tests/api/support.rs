//! What every test needs: a system of its own, and a method for each thing that one does to it.

use std::{collections::BTreeMap, path::PathBuf};

use local::{
    binaries,
    demo::{self, Demo},
    deployed::Deployed,
    dynamodb::Tables,
    mailbox::Mail,
    system::{Options, System},
    template::Template,
};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use shared::passcode::limits::DIGITS;
use tokio::sync::OnceCell;

use crate::{
    deployed::{Own, Stage, deployed},
    watch::Watch,
};

/// The functions' executables, built once for all tests.
static EXECUTABLES: OnceCell<BTreeMap<String, PathBuf>> = OnceCell::const_new();

/// A running system with the demo records, and a client for it.
pub struct TestApp {
    // Before the system, since it looks at what the system wrote when the test is over.
    watch: Option<Watch>,
    /// For what only the local system has.
    pub system: Own,
    pub api: String,
    pub tables: Tables,
    pub demo: Demo,
    pub client: Client,
    template: Template,
    stage: Option<Stage>,
    options: Options,
}

impl TestApp {
    /// The project's own system: its template and its functions.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// As `start`, with options of one's own.
    pub async fn start_with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new(template());
        // As Lambda does: whatever goes on between two calls is not to be relied on.
        options.freeze = true;
        // Whatever a function could say, it says to the `Watch`.
        options.environment.insert("LOG_LEVEL".to_owned(), "trace".to_owned());
        // `./check` asks whether the whole suite has used every permission that the template grants.
        options.permissions_record = std::env::var_os("PERMISSIONS_RECORD").map(PathBuf::from);
        // `./check dynamodb-local` runs the suite on Amazon's own implementation.
        options.database = std::env::var("DYNAMODB_LOCAL").ok();
        change(&mut options);
        match deployed() {
            Some(deployed) => Self::go_over(deployed, options).await,
            None => Self::start_from(options).await,
        }
    }

    async fn start_from(options: Options) -> Self {
        let system = System::start(&options, executables()).await.unwrap();
        let platform_url = format!("{}/", system.api);
        let demo = demo::provision(&system, &platform_url, options.data.as_deref()).await.unwrap();
        Self {
            watch: Some(Watch::new(&system, &options)),
            api: system.api.clone(),
            tables: system.backends.tables.clone(),
            demo,
            client: client(),
            template: system.backends.template.clone(),
            system: Own(Some(system)),
            stage: None,
            options,
        }
    }

    /// The deployment in the place of a system.
    async fn go_over(deployed: Deployed, options: Options) -> Self {
        let stage = Stage::clear(deployed, &options);
        Self {
            watch: None,
            system: Own(None),
            api: stage.deployed.endpoint.clone(),
            tables: stage.tables.clone(),
            demo: stage.demo().await,
            client: stage.client(),
            template: stage.template.clone(),
            stage: Some(stage),
            options,
        }
    }

    /// Ends the system and starts it again on other ports; what it keeps is in `Options::data`.
    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// As `restart`, with other options.
    pub async fn restart_with(self, change: impl FnOnce(&mut Options)) -> Self {
        let Self { watch, system, mut options, .. } = self;
        drop((watch, system));
        change(&mut options);
        Self::start_from(options).await
    }

    /// The keys of the template's routes, such as `GET /customer`, each with its function's name.
    pub fn routes(&self) -> BTreeMap<String, String> {
        let functions = self.template.functions.iter();
        functions.flat_map(|it| it.routes.iter().map(|route| (route.key(), it.name.clone()))).collect()
    }

    /// A request without credentials.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.api))
    }

    /// A request with the demo App's credentials.
    pub fn app_request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path)
            .header("x-access-superkey", &self.demo.app.superkey)
            .header("x-access-supertoken", &self.demo.app.supertoken)
    }

    /// The URL at which DynamoDB answers.
    pub fn dynamodb(&self) -> &str {
        self.stage.as_ref().map_or_else(|| &*self.system.backends.dynamodb, |stage| &*stage.deployed.endpoint)
    }

    /// The name of a table, by its logical id.
    pub fn table_name(&self, logical_id: &str) -> String {
        let deployed = self.stage.as_ref().map(|stage| stage.deployed.name(logical_id).unwrap());
        deployed.unwrap_or(logical_id).to_owned()
    }

    /// Calls a function as the Lambda Invoke API does.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, Value> {
        match &self.stage {
            Some(stage) => stage.deployed.invoke(function, payload).await,
            None => self.system.invoke(function, payload).await,
        }
    }

    /// A call of a function by HTTP.
    pub fn function(&self, name: &str) -> RequestBuilder {
        match &self.stage {
            Some(stage) => stage.deployed.request(&client(), name).unwrap(),
            None => self.request(Method::POST, &format!("/2015-03-31/functions/{name}/invocations")),
        }
    }

    /// Gives the operator a command; its refusal is an error's `errorMessage`.
    pub async fn operate(&self, command: Value) -> Result<Value, String> {
        let refusal = |error: Value| error["errorMessage"].as_str().unwrap_or_default().to_owned();
        self.invoke("operator", &command).await.map_err(refusal)
    }

    /// The mails to `address`, or all, the newest first.
    pub fn mails(&self, address: Option<&str>) -> Vec<Mail> {
        let Some(stage) = &self.stage else { return self.system.backends.mailbox.mails(address) };
        let mut mails = stage.mails();
        mails.retain(|mail| address.is_none_or(|address| mail.to.eq_ignore_ascii_case(address)));
        mails
    }

    /// What all functions together find in their environment.
    pub fn environment(&self) -> BTreeMap<String, String> {
        self.system.backends.environment(&Value::Null, &self.options)
    }

    /// A variable that the template gives to functions, such as `PASSCODE_TTL_SECONDS`.
    pub fn setting(&self, variable: &str) -> String {
        self.template.functions.iter().find_map(|function| function.environment.get(variable)).unwrap().clone()
    }

    /// How long a passcode is valid, in milliseconds.
    pub fn passcode_lifetime(&self) -> u64 {
        1000 * self.setting("PASSCODE_TTL_SECONDS").parse::<u64>().unwrap()
    }

    /// How long the next mail of a passcode is held back, in milliseconds.
    pub fn cooldown(&self) -> u64 {
        1000 * self.setting("PASSCODE_COOLDOWN_SECONDS").parse::<u64>().unwrap()
    }
}

/// The text of the project's template.
pub fn template() -> String {
    std::fs::read_to_string(binaries::project_root().unwrap().join("template.yaml")).unwrap()
}

/// The functions' executables, by name.
pub async fn executables() -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let build = async || binaries::build(&binaries::project_root()?, false).await;
    EXECUTABLES.get_or_try_init(build).await.cloned()
}

/// API Gateway's id of the request that `response` answers; fakecloud has another name for it.
pub fn request_id(response: &Response) -> &str {
    let name = if deployed().is_some() { "x-amzn-requestid" } else { "apigw-requestid" };
    response.headers()[name].to_str().unwrap()
}

/// The passcode that a mail shows in two halves, without the space.
pub fn passcode_in(text: &str) -> String {
    let shown = regex_lite::Regex::new(&shown_passcode(" ")).unwrap();
    shown.find(text).unwrap().as_str().replace(' ', "")
}

/// The pattern of a passcode on its own, with this between its halves.
pub fn shown_passcode(between: &str) -> String {
    let first = DIGITS / 2;
    format!(r"\b\d{{{first}}}{between}\d{{{}}}\b", DIGITS - first)
}

/// A client that follows no redirect: where one leads is what is tested.
pub fn client() -> Client {
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A system of probes, for what is not the functions' to do.
pub async fn probes(change: impl FnOnce(&mut Options)) -> System {
    let mut options = Options::new(include_str!("probe.yaml").to_owned());
    options.freeze = true;
    change(&mut options);
    let probe = PathBuf::from(env!("CARGO_BIN_EXE_probe"));
    let executables = ["probe", "hasty", "broken"].map(|name| (name.to_owned(), probe.clone()));
    System::start(&options, async { Ok(BTreeMap::from(executables)) }).await.unwrap()
}

//! The whole system: backends, functions and gateway, on addresses of this machine.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use anyhow::{Context, Result, anyhow};
use axum::body::Bytes;
use serde_json::Value;

use crate::{
    addresses,
    assignments::Assignments,
    calls::Calls,
    data::DataFolder,
    dynamodb::{Front, Kept, Tables},
    faults::Faults,
    gateway::{self, Gateway, Pools},
    handout::Handout,
    iam::Policies,
    ids,
    inspector::{self, Inspected},
    logs::Logs,
    mailbox::{self, Account, Mailbox, Told},
    reference,
    requests::Requests,
    runtime::{Pool, Spec},
    servers::Servers,
    template::{Function, REGION, Secrets, Template},
    terminal::Terminal,
};

/// The function that hears what became of a mail, by the rule of `EventBridge`.
const MAIL_EVENTS: &str = "mail-events";

/// What a system is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The text of `template.yaml`.
    pub template: String,
    /// Overrides of the template's parameters.
    pub parameter_overrides: BTreeMap<String, String>,
    /// Addresses as `host:port`; port 0 picks a free one.
    pub api: String,
    /// As `api`.
    pub mail: String,
    /// As `api`.
    pub dynamodb: String,
    /// Variables for every function; they win over everything else.
    pub environment: BTreeMap<String, String>,
    /// Processes per function at most.
    pub concurrency: usize,
    /// Whether processes are stopped between invocations, as Lambda does.
    pub freeze: bool,
    /// Whether `DefaultRouteSettings` are enforced.
    pub throttle: bool,
    /// Where data is kept; in memory without it.
    pub data: Option<PathBuf>,
    /// The URL of another DynamoDB that keeps the records in place of the embedded one, empty at first.
    pub database: Option<String>,
    /// A file in which each permission is noted that a function has used.
    pub permissions_record: Option<PathBuf>,
    /// What is told of each request while the system runs.
    pub terminal: Terminal,
}

impl Options {
    /// `template` on free ports, with every parameter at its default, and silent.
    #[must_use]
    pub fn new(template: String) -> Self {
        let free = || "127.0.0.1:0".to_owned();
        Self {
            template,
            parameter_overrides: BTreeMap::new(),
            api: free(),
            mail: free(),
            dynamodb: free(),
            environment: BTreeMap::new(),
            concurrency: 2,
            freeze: false,
            throttle: false,
            data: None,
            database: None,
            permissions_record: None,
            terminal: Terminal::silent(),
        }
    }
}

/// DynamoDB and the mailbox, with what the functions have called of them.
pub struct Backends {
    /// The mailbox's URL.
    pub mail: String,
    /// DynamoDB's URL.
    pub dynamodb: String,
    /// The tables, past every function.
    pub tables: Tables,
    /// The mails.
    pub mailbox: Mailbox,
    /// What was called.
    pub calls: Calls,
    /// What each function may call.
    pub policies: Policies,
    /// What is to go wrong.
    pub faults: Faults,
    /// What is simulated.
    pub template: Template,
    /// The latest requests.
    pub requests: Requests,
    /// Nobody else's while the system runs.
    _data: Option<DataFolder>,
    assignments: Assignments,
    servers: Servers,
}

impl Backends {
    /// Starts them.
    ///
    /// # Errors
    /// A template that is not understood, an address in use, or data that cannot be opened.
    pub async fn start(options: &Options) -> Result<Self> {
        let data = options.data.as_deref();
        let held = data.map(DataFolder::hold).transpose()?;
        let mut secrets = match data {
            Some(folder) => Secrets::kept_in(Secrets::file_in(folder))?,
            None => Secrets::default(),
        };
        let template = Template::load(&options.template, &options.parameter_overrides, &mut secrets)?;
        let assignments = Assignments::default();
        let terminal = options.terminal.clone();
        let requests = Requests::new(move |row, lines| terminal.request(row, lines));
        let calls = Calls::new(assignments.clone(), requests.clone());
        let policies = Policies::new(&template.functions, options.permissions_record.as_deref())?;
        let kept = match (&options.database, data) {
            (Some(url), _) => Kept::At(url.clone()),
            (None, Some(folder)) => Kept::In(folder.to_owned()),
            (None, None) => Kept::InMemory,
        };
        let tables = Tables::open(&template.tables, &kept)?;
        let mailbox = Mailbox::open(data, Account::open(data, &template.functions)?)?;
        let faults = Faults::default();
        let servers = Servers::new();
        let (mail_listener, mail) = addresses::bind(&options.mail, "--mail").await?;
        let (dynamodb_listener, dynamodb) = addresses::bind(&options.dynamodb, "--dynamodb").await?;
        let (calls_made, policy) = (calls.clone(), policies.clone());
        servers.serve(mail_listener, mailbox::router(mailbox.clone(), calls_made, policy, faults.clone()));
        let (calls_made, policy) = (calls.clone(), policies.clone());
        Front::serve(dynamodb_listener, &tables, calls_made, policy, faults.clone(), &servers).await?;
        tables.clone().sweep_until(servers.end());
        Ok(Self {
            mail,
            dynamodb,
            tables,
            mailbox,
            calls,
            policies,
            faults,
            requests,
            _data: held,
            assignments,
            template,
            servers,
        })
    }
}

impl Backends {
    /// What all functions together find in their environment, for running them elsewhere against these backends.
    /// `fixed`, an object of variables, wins over the template.
    #[must_use]
    pub fn environment(&self, fixed: &Value, options: &Options) -> BTreeMap<String, String> {
        let mut environment: BTreeMap<String, String> =
            self.template.functions.iter().flat_map(|function| function.environment.clone()).collect();
        let fixed = fixed.as_object().into_iter().flatten();
        environment.extend(fixed.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))));
        environment.extend(self.access());
        environment.insert("AWS_ACCESS_KEY_ID".to_owned(), "local".to_owned());
        environment.extend(options.environment.clone());
        environment
    }

    /// The variables that lead the SDK here, but for the key, which says who calls.
    fn access(&self) -> [(String, String); 5] {
        [
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb.clone()),
            ("AWS_ENDPOINT_URL_SESV2", self.mail.clone()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_SESSION_TOKEN", "local".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }
}

/// A running system. It ends, and every process with it, when it is dropped.
pub struct System {
    /// The API's URL.
    pub api: String,
    /// DynamoDB and the mailbox.
    pub backends: Backends,
    /// What the functions have written.
    pub logs: Logs,
    /// What the pages hand out.
    pub handout: Handout,
    functions: Arc<Pools>,
}

impl System {
    /// Starts a system whose functions are the `executables`, by name; they are awaited once everything else is
    /// found to be in order, since building them takes its time. Their processes start when they are first needed;
    /// [`System::warm`] starts one of each.
    ///
    /// # Errors
    /// As [`Backends::start`] and `executables`, and a function without an executable.
    pub async fn start(
        options: &Options,
        executables: impl Future<Output = Result<BTreeMap<String, PathBuf>>>,
    ) -> Result<Self> {
        let (api_listener, api) = addresses::bind(&options.api, "--api").await?;
        let backends = Backends::start(options).await?;
        let executables = executables.await?;
        let (assignments, requests) = (&backends.assignments, &backends.requests);
        let logs = Logs::new(options.terminal.clone(), requests.clone(), assignments.clone());
        let mut functions = Pools::new();
        for function in &backends.template.functions {
            let binary = executables.get(&function.name).with_context(|| {
                format!("the template names the function {}, but no crate builds a binary of that name", function.name)
            })?;
            let spec = spec(function, binary, options, &backends);
            functions
                .insert(function.name.clone(), Pool::new(spec, assignments.clone(), logs.clone(), requests.clone()));
        }
        let functions = Arc::new(functions);
        deliver_mail_events(&backends.mailbox, &functions, requests);
        let gateway = Gateway::new(&backends.template, functions.clone(), requests.clone(), backends.faults.clone())?;
        let gateway = if options.throttle { gateway.throttled(&backends.template) } else { gateway };
        let handout = Handout::default();
        let inspected = Inspected {
            api: api.clone(),
            requests: requests.clone(),
            handout: handout.clone(),
            faults: backends.faults.clone(),
            tables: backends.tables.clone(),
            mailbox: backends.mailbox.clone(),
            functions: backends.template.functions.iter().map(|function| function.name.clone()).collect(),
        };
        let inspector = inspector::router(inspected)?;
        let for_the_reference = handout.clone();
        let pages = |api| reference::router(for_the_reference, api).merge(inspector);
        backends.servers.serve(api_listener, gateway::router(gateway, pages, inspector::home));
        Ok(Self { api, backends, logs, handout, functions })
    }

    /// Starts one process of each function and waits until all of them are ready.
    ///
    /// # Errors
    /// The first function that does not start, and why.
    pub async fn warm(&self) -> Result<()> {
        let waits = self.functions.iter().map(|(name, pool)| async move {
            pool.warm().await.map_err(|why| anyhow!("the function {name} does not start: {why}"))
        });
        futures::future::try_join_all(waits).await.map(drop)
    }

    /// Calls a function as the Lambda Invoke API does.
    ///
    /// # Errors
    /// No such function, or the function's error as JSON with `errorType` and `errorMessage`.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, Value> {
        let pool = self.functions.get(function).ok_or_else(|| Value::from(format!("no function {function}")))?;
        pool.invoke(Bytes::from(payload.to_string()), None, ids::uuid(), None).outcome().await.json()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // A connection that somebody keeps open also keeps the pools; the processes must end all the same.
        self.functions.values().for_each(Pool::stop);
    }
}

/// Hands what becomes of mails to the function that `EventBridge`'s rule names.
fn deliver_mail_events(mailbox: &Mailbox, functions: &Arc<Pools>, requests: &Requests) {
    let (bus, mut events) = tokio::sync::mpsc::unbounded_channel::<Told>();
    mailbox.outcomes.tell(bus);
    let (functions, requests) = (Arc::downgrade(functions), requests.clone());
    tokio::spawn(async move {
        while let Some(told) = events.recv().await {
            let (functions, requests) = (Weak::clone(&functions), requests.clone());
            // Nobody waits for an event's end, the next event neither.
            tokio::spawn(async move {
                let Some(functions) = functions.upgrade() else { return };
                if let Some(pool) = functions.get(MAIL_EVENTS) {
                    gateway::deliver(&requests, MAIL_EVENTS, pool, told).await;
                }
            });
        }
    });
}

/// A function's environment is as Lambda makes it: nothing of ours gets in but what is listed here.
fn spec(function: &Function, binary: &Path, options: &Options, backends: &Backends) -> Spec {
    let mut environment = function.environment.clone();
    let name = &function.name;
    let set = [
        ("_HANDLER", "bootstrap".to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        // sam local and the Runtime Interface Emulator use it too.
        ("AWS_LAMBDA_FUNCTION_TIMEOUT", function.timeout.as_secs().to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ];
    environment.extend(backends.access());
    environment.extend(set.map(|(name, value)| (name.to_owned(), value)));
    // What helps whoever examines a process: coverage and backtraces.
    for name in ["PATH", "LLVM_PROFILE_FILE", "RUST_BACKTRACE"] {
        environment.extend(std::env::var(name).ok().map(|value| (name.to_owned(), value)));
    }
    environment.extend(options.environment.clone());
    Spec {
        name: name.clone(),
        binary: binary.to_path_buf(),
        environment,
        aliases: function.aliases.clone(),
        timeout: function.timeout,
        concurrency: options.concurrency,
        freeze: options.freeze,
    }
}

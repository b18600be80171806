//! The handlers over an embedded database that holds the records of `events/fixtures.json`.

use std::{cell::OnceCell, panic::catch_unwind, path::Path, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
};
use lambda_http::{Body, Request};
use lambda_runtime::{Context, LambdaEvent};
use local::system::{Backends, Options};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use shared::{
    Clock, Store,
    auth::Policy,
    http::{Reply, answer},
    passcode::Pepper,
    sdk,
};
use tokio::runtime::Runtime;

/// The functions that answer events here.
pub const HANDLERS: [&str; 9] = [
    "auth",
    "auth-nopasscode",
    "change-customer",
    "create-customer",
    "get-customer",
    "list-customers",
    "redeem-ticket",
    "revoke-credentials",
    "sso",
];

/// After so many changes the records are laid anew.
const RENEWED: u32 = 100;

/// What of a reply a target looks at.
pub struct Seen {
    pub status: u16,
    pub location: Option<String>,
}

/// The world of one thread.
pub struct World {
    runtime: Runtime,
    backends: Backends,
    fixtures: Value,
    asked: std::cell::Cell<u32>,
    auth: auth::Deps,
    auth_nopasscode: auth_nopasscode::Deps,
    change_customer: change_customer::Deps,
    create_customer: create_customer::Deps,
    get_customer: get_customer::Deps,
    list_customers: list_customers::Deps,
    redeem_ticket: redeem_ticket::Deps,
    revoke_credentials: revoke_credentials::Deps,
    sso: sso::Deps,
    operator: operator::Deps,
}

impl World {
    /// Works with this thread's world, which is made at the first time.
    pub fn with(work: impl FnOnce(&Self)) {
        thread_local! {
            static WORLD: OnceCell<World> = const { OnceCell::new() };
        }
        WORLD.with(|world| work(world.get_or_init(Self::new)));
    }

    fn new() -> Self {
        // libFuzzer's hook ends the process at any panic, also at one that the Lambda runtime catches. One that nobody
        // catches ends it all the same.
        std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
        let runtime = Runtime::new().expect("a runtime");
        let template = std::fs::read_to_string(Path::new(ROOT).join("template.yaml")).expect("template.yaml");
        let backends = runtime.block_on(Backends::start(&Options::new(template))).expect("the backends");
        let store = || store(&backends.dynamodb);
        let (clock, policy) = (Clock::system(), Policy { allow_query_credentials: true });
        let (credential_lifetime, ticket_lifetime) = (Duration::from_hours(1), Duration::from_mins(1));
        Self {
            auth: auth::Deps { store: store(), clock: clock.clone(), policy, pepper: pepper(), credential_lifetime },
            auth_nopasscode: auth_nopasscode::Deps {
                store: store(),
                clock: clock.clone(),
                policy,
                credential_lifetime,
            },
            change_customer: change_customer::Deps { store: store(), clock: clock.clone(), policy },
            create_customer: create_customer::Deps {
                store: store(),
                clock: clock.clone(),
                policy,
                credential_lifetime,
            },
            get_customer: get_customer::Deps { store: store(), clock: clock.clone(), policy },
            list_customers: list_customers::Deps { store: store(), clock: clock.clone(), policy },
            redeem_ticket: redeem_ticket::Deps { store: store(), clock: clock.clone(), policy },
            revoke_credentials: revoke_credentials::Deps { store: store(), clock: clock.clone(), policy },
            sso: sso::Deps { store: store(), clock: clock.clone(), policy, ticket_lifetime },
            operator: operator::Deps { store: store(), ses: ses(&backends.mail), clock },
            fixtures: read("events/fixtures.json"),
            asked: std::cell::Cell::default(),
            runtime,
            backends,
        }
    }

    fn renew(&self, every: u32) {
        if self.asked.replace(self.asked.get() + 1).is_multiple_of(every) {
            self.backends.tables.replace(&self.fixtures).expect("the fixtures");
        }
    }

    /// What the case `<function>/<name>` of `events/` is answered after a change; nothing, where no event can be that.
    pub fn answer(&self, case: &str, change: impl FnOnce(&mut Value)) -> Option<Seen> {
        let mut event = read(&format!("events/{case}.json"));
        change(&mut event);
        let (handler, _) = case.split_once('/').expect("<function>/<name>");
        self.answer_event(handler, &event.to_string())
    }

    /// What an event is answered. Where `lambda_http` cannot take it, the runtime makes a `500` of that.
    pub fn answer_event(&self, handler: &str, event: &str) -> Option<Seen> {
        self.renew(RENEWED);
        let request = catch_unwind(|| lambda_http::request::from_str(event)).ok()?.ok()?;
        let reply = self.runtime.block_on(self.handle(handler, request));
        assert_documented(&reply);
        let location = reply.headers().get("location").map(|it| it.to_str().expect("an ASCII URL").to_owned());
        Some(Seen { status: reply.status().as_u16(), location })
    }

    async fn handle(&self, handler: &str, request: Request) -> Reply {
        match handler {
            "auth" => answer(&self.auth, request).await,
            "auth-nopasscode" => answer(&self.auth_nopasscode, request).await,
            "change-customer" => answer(&self.change_customer, request).await,
            "create-customer" => answer(&self.create_customer, request).await,
            "get-customer" => answer(&self.get_customer, request).await,
            "list-customers" => answer(&self.list_customers, request).await,
            "redeem-ticket" => answer(&self.redeem_ticket, request).await,
            "revoke-credentials" => answer(&self.revoke_credentials, request).await,
            "sso" => answer(&self.sso, request).await,
            other => panic!("no handler {other}"),
        }
    }

    /// Gives a command on the records as they are at first.
    pub fn operate(&self, payload: Value) {
        self.renew(1);
        let event = LambdaEvent::new(payload.into(), Context::default());
        let done = self.runtime.block_on(operator::handle(&self.operator, event));
        assert!(!matches!(done, Err(operator::OperatorError::Failed(_))), "{done:?}");
    }
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn read(path: &str) -> Value {
    let text = std::fs::read(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The pepper of `events/env.json`, which the passcodes of the fixtures are under.
fn pepper() -> Pepper {
    let variables = read("events/env.json");
    Pepper::parse(variables["Parameters"]["PEPPER"].as_str().expect("a pepper")).expect("a pepper")
}

fn ses(endpoint: &str) -> operator::Ses {
    let sdk = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(aws_config::Region::new("eu-west-1"))
        .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(Credentials::new(
            "test", "test", None, None, "test",
        )))
        .http_client(sdk::http_client().expect("a client"));
    let arn = |name: &str| format!("arn:aws:ses:eu-west-1:123456789012:{name}");
    let names = ["local".to_owned(), arn("identity/atom.example"), arn("configuration-set/MailConfigurationSet")];
    operator::Ses::new(&sdk.build(), true, names)
}

fn store(endpoint: &str) -> Store {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(sdk::http_client().expect("a client"));
    let client = Client::from_conf(config.build());
    // AppsTable is what local calls the table of APPS_TABLE.
    let name = |variable: &str| {
        let word = variable.trim_end_matches("_TABLE").to_ascii_lowercase();
        format!("{}{}Table", word[..1].to_ascii_uppercase(), &word[1..])
    };
    Store::new(client, |table| Some(name(table.variable())))
}

/// Sets one query parameter as API Gateway passes it on.
pub fn set_query(event: &mut Value, name: &str, value: &str) {
    event["rawQueryString"] = format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)).into();
    event["queryStringParameters"] = json!({ name: value });
}

/// Sets a body as API Gateway passes it on: one that is no text is base64.
pub fn set_body(event: &mut Value, body: &[u8]) {
    if let Ok(text) = std::str::from_utf8(body) {
        event["body"] = text.into();
    } else {
        event["body"] = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, body).into();
        event["isBase64Encoded"] = true.into();
    }
}

/// Success, or an error as `openapi.yaml` has it, with a code and a message. Nothing failed, since nothing was made to.
fn assert_documented(reply: &Reply) {
    let status = reply.status().as_u16();
    assert!(matches!(status, 200 | 201 | 204 | 302 | 400 | 401 | 403 | 404 | 409 | 413 | 422), "{reply:?}");
    for name in ["cache-control", "referrer-policy"] {
        assert!(reply.headers().contains_key(name), "{reply:?}");
    }
    if status >= 400 {
        let Body::Text(text) = reply.body() else { panic!("{reply:?}") };
        let body: Value = serde_json::from_str(text).expect("JSON");
        let has = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
        // The id is the gateway's, and an event that no gateway sends may have none.
        assert!(has("code") && has("message") && body["request_id"].is_string(), "{body}");
    }
}

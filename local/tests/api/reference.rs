//! The API reference is true: each of its example requests, sent to the running system, is answered as its examples say.

use local::binaries;
use regex_lite::{Captures, Regex};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::{
    caller::{Answer, Caller, answer, segment},
    support::{TestApp, client, passcode_in},
};

/// What the examples of requests call the customer, the passcode and the ticket.
const CUID: &str = "Ky9Pf34qY6Nb3wWD25RQ4F";
const PASSCODE: &str = "1234 5678";

fn openapi() -> Value {
    let text = std::fs::read_to_string(binaries::project_root().unwrap().join("openapi.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// `value`, or what it refers to.
fn resolve<'a>(openapi: &'a Value, value: &'a Value) -> &'a Value {
    let Some(reference) = value["$ref"].as_str() else { return value };
    openapi.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference}"))
}

/// The values of `examples`, or the one `example`.
fn examples<'a>(openapi: &'a Value, owner: &'a Value) -> Vec<&'a Value> {
    let named = owner["examples"].as_object().into_iter().flat_map(Map::values);
    let named = named.map(|example| &resolve(openapi, example)["value"]);
    owner.get("example").into_iter().chain(named).collect()
}

/// What is another each time, by what it is.
fn mask(text: &str) -> String {
    let random = Regex::new(concat!(
        r"(atom[a-z]{2}_)[0-9A-Za-z]+|[0-9A-Za-z]{22}\b|[0-9-]{10}T[0-9:.]+Z",
        r#"|("request_id":)"[^"]+""#
    ));
    let kept = |found: &Captures| {
        let kept = found.get(1).or_else(|| found.get(2));
        format!("{}*", kept.map_or("", |kept| kept.as_str()))
    };
    random.unwrap().replace_all(text, kept).into_owned()
}

/// As `mask`; a list in an order that does not depend on what is random.
fn masked(value: &Value) -> String {
    match value.as_array() {
        Some(items) => {
            let mut items: Vec<String> = items.iter().map(|item| mask(&item.to_string())).collect();
            items.sort();
            items.join("\n")
        }
        None => mask(&value.to_string()),
    }
}

/// An example request: the values of its parameters by place and name, and its body.
#[derive(Clone, Default)]
struct Request {
    parameters: Vec<(String, String, String)>,
    body: Value,
}

/// The example requests of an operation: each example of a required parameter or of the body alone, and with one of
/// everything else.
fn requests(openapi: &Value, operation: &Value) -> Vec<Request> {
    let bodies = examples(openapi, &operation["requestBody"]["content"]["application/json"]);
    let mut requests = vec![Request::default()];
    if !bodies.is_empty() {
        requests = bodies.into_iter().map(|body| Request { body: body.clone(), ..Request::default() }).collect();
    }
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let parameter = resolve(openapi, parameter);
        let [place, name] = ["in", "name"].map(|field| parameter[field].as_str().unwrap().to_owned());
        let with = |request: &Request, value: &Value| {
            let mut request = request.clone();
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            request.parameters.push((place.clone(), name.clone(), value));
            request
        };
        let values = examples(openapi, parameter);
        let more: Vec<Request> =
            requests.iter().flat_map(|request| values.iter().map(|value| with(request, value))).collect();
        if parameter["required"] == true {
            requests = more;
        } else {
            requests.extend(more);
        }
    }
    requests
}

/// A customer's records among the examples, as one would create them.
fn customers(example: &Value) -> Vec<Value> {
    let records = example.as_array().map_or_else(|| vec![example.clone()], Clone::clone);
    let records = records.into_iter().filter(|record| record["email"].is_string());
    let created = records.map(|mut record| {
        let fields = record.as_object_mut().unwrap();
        // Of whom a ticket speaks; its `state` is not the customer's.
        if fields.remove("app_name").is_some() {
            fields.remove("state");
        }
        for assigned in ["cuid", "created_at", "email_verified", "app", "return_to"] {
            fields.remove(assigned);
        }
        record
    });
    created.collect()
}

/// An App as the examples have it, with the customers given and no other; the callers for App and platform.
async fn example_app<'a>(app: &'a TestApp, customers: &[Value]) -> (Caller<'a>, Caller<'a>) {
    let platform =
        json!({ "command": "create_platform", "name": "Example", "url": "https://platform.example.com/sso" });
    let platform = app.command(platform).await;
    let create = json!({
        "command": "create_app", "name": "Example Shop", "grants": ["passcode", "nopasscode"],
        "platform": platform["platformkey"],
    });
    let created = app.command(create).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let partner = app.as_app(&text(&created["superkey"]), &text(&created["supertoken"]));
    for customer in customers {
        let created = partner.post("/customer", customer).await;
        assert_eq!(created.status, 201, "{}", created.body);
    }
    (partner, app.as_platform(&text(&platform["platformkey"]), &text(&platform["platformtoken"])))
}

/// The example with the customer, the passcode and the ticket of this App for those that it names.
async fn real(partner: &Caller<'_>, operation: &str, request: Request) -> Request {
    let listed = partner.get("/customer").await.body;
    let Some(jane) = listed.as_array().unwrap().iter().find(|customer| customer["email"] == "jane@example.com") else {
        return request;
    };
    let cuid = jane["cuid"].as_str().unwrap();
    let mut real = request;
    let mut passcode = None;
    if operation == "authenticate" {
        assert_eq!(partner.send("jane@example.com").await.status, 200);
        let mails = partner.app.mails(Some("jane@example.com"));
        passcode = Some(passcode_in(&mails[0].text));
    }
    for (_, _, value) in &mut real.parameters {
        *value = value.replace(CUID, cuid);
        if let Some(passcode) = &passcode
            && value == PASSCODE
        {
            value.clone_from(passcode);
        }
    }
    if operation == "redeemTicket" {
        // The example tells of a proved address, and of what was bound to the ticket.
        partner.send("jane@example.com").await;
        partner.auth("jane@example.com", &partner.app.mailed_passcode("jane@example.com")).await;
        let query = "return_to=%2Fcampaigns%2F7%3Ftab%3Dspend&state=4b1f9c2e7a";
        real.body["ticket"] = partner.ticket_with("jane@example.com", query).await.into();
    }
    real
}

fn prepared(caller: &Caller, method: &Method, path: &str, request: &Request) -> RequestBuilder {
    let of = |place: &'static str| request.parameters.iter().filter(move |(at, ..)| at == place);
    let path = of("path")
        .fold(path.to_owned(), |path, (_, name, value)| path.replace(&format!("{{{name}}}"), &segment(value)));
    let query: Vec<(&str, &str)> = of("query").map(|(_, name, value)| (&**name, &**value)).collect();
    let mut prepared = caller.request(method.clone(), &path).query(&query);
    for (_, name, value) in of("header") {
        prepared = prepared.header(name, value);
    }
    if request.body.is_null() { prepared } else { prepared.json(&request.body) }
}

/// Asserts that the answer is one that the examples show, headers included; returns that example's name.
fn documented(openapi: &Value, operation: &Value, request: &Request, answer: &Answer) -> String {
    let response = resolve(openapi, &operation["responses"][answer.status.to_string()]);
    assert!(!response.is_null(), "{} is not documented: {}", answer.status, answer.body);
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let header = resolve(openapi, header);
        let Some(example) = header["example"].as_str().filter(|_| header["required"] == true) else { continue };
        let shown = mask(answer.header(name));
        // The example has every parameter in it.
        let same = if request.parameters.iter().any(|(place, ..)| place == "query") || answer.status != 302 {
            mask(example) == shown
        } else {
            mask(example).starts_with(&shown)
        };
        assert!(same, "{name}: {shown} is not {example}");
    }
    let Some(content) = response["content"].get("application/json") else { return answer.status.to_string() };
    let found = examples(openapi, content).into_iter().find(|example| masked(example) == masked(&answer.body));
    let found = found.unwrap_or_else(|| panic!("{} {} is no example", answer.status, answer.body));
    format!("{} {found}", answer.status)
}

/// The examples of an operation's success, in the form that `documented` names them by.
fn successes(openapi: &Value, operation: &Value) -> Vec<(String, Value)> {
    let responses = operation["responses"].as_object().unwrap().iter();
    let successes = responses.filter(|(status, _)| status.starts_with(['2', '3']));
    let named = successes.flat_map(|(status, response)| match response["content"].get("application/json") {
        Some(content) => {
            let values = examples(openapi, content).into_iter();
            values.map(|value| (format!("{status} {value}"), value.clone())).collect()
        }
        None => vec![(status.clone(), Value::Null)],
    });
    named.collect()
}

#[tokio::test]
async fn each_example_request_is_answered_as_the_examples_show() {
    let (app, openapi) = (TestApp::start().await, openapi());
    let mut sent = 0;
    for (path, operations) in openapi["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let id = operation["operationId"].as_str().unwrap();
            for (expected, example) in successes(&openapi, operation) {
                let mut seen = Vec::new();
                for request in requests(&openapi, operation) {
                    let jane = json!({ "company": "Example Ltd", "email": "jane@example.com" });
                    let present = match (id, customers(&example)) {
                        ("createCustomer", _) => vec![],
                        ("listCustomers", customers) => customers,
                        (_, customers) if customers.is_empty() => vec![jane],
                        (_, customers) => customers,
                    };
                    let (partner, platform) = example_app(&app, &present).await;
                    let request = real(&partner, id, request).await;
                    let caller = if id == "redeemTicket" { platform } else { partner };
                    let answer = answer(prepared(&caller, &method, path, &request)).await;
                    seen.push(documented(&openapi, operation, &request, &answer));
                    sent += 1;
                }
                assert!(seen.contains(&expected), "{id}: nothing was answered with {expected}, but with {seen:?}");
            }
        }
    }
    assert!(sent > 15, "{sent}");
}

/// The page is what a browser gets; `./check browser` uses it.
#[tokio::test]
async fn the_page_of_the_reference_calls_the_system_that_serves_it() {
    let app = TestApp::start().await;
    let get = async |path: &str| client().get(format!("{}{path}", app.api)).send().await.unwrap();
    let redirect = get("/docs").await;
    assert_eq!((redirect.status().as_u16(), &redirect.headers()["location"]), (307, &"/docs/".parse().unwrap()));
    let page = get("/docs/").await;
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let page = page.text().await.unwrap();
    let needed = Regex::new(r#"(?:src|href)="([a-z.-]+)""#).unwrap();
    let needed: Vec<&str> = needed.captures_iter(&page).map(|found| found.get(1).unwrap().as_str()).collect();
    assert!(needed.len() > 3, "{needed:?}");
    for file in needed {
        assert_eq!(get(&format!("/docs/{file}")).await.status(), 200, "{file}");
    }
    let demo = get("/docs/demo.json").await;
    assert_eq!(demo.headers()["cache-control"], "no-store");
    assert_eq!(demo.json::<Value>().await.unwrap()["app"]["superkey"], *app.demo.app.superkey);
    for (header, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let asked = client().get(format!("{}/docs/demo.json", app.api)).header(header, value).send().await.unwrap();
        assert_eq!(asked.status(), 403, "{header}: {value}");
    }
    let served: Value = serde_saphyr::from_str(&get("/docs/openapi.yaml").await.text().await.unwrap()).unwrap();
    assert_eq!(served, openapi());
    let drawn: Value = get("/docs/description.json").await.json().await.unwrap();
    assert_eq!(drawn["components"]["schemas"], openapi()["components"]["schemas"]);
}

/// A browser's script is not shown a redirect, and the page of the reference shows it all the same.
#[tokio::test]
async fn the_page_can_read_a_redirect() {
    let app = TestApp::start().await;
    let partner = app.demo();
    partner.create("jane@example.com").await;
    let tried = answer(partner.request(Method::GET, "/docs/try/customer/jane@example.com/sso")).await;
    assert_eq!((tried.status, tried.header("x-status")), (200, "302"));
    assert!(tried.header("location").contains("?ticket=atomtk_"), "{}", tried.header("location"));
    // Whatever is no redirect is as it is.
    let listed = answer(partner.request(Method::GET, "/docs/try/customer?limit=0")).await;
    assert_eq!(listed.status, 400);
    assert_eq!(listed.body["errors"][0]["field"], "limit");
}

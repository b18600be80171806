//! The API reference as a page, under `/docs/` of the API's address: `openapi.yaml`, drawn by Scalar, whose script comes
//! out of its crate.

use std::{fmt::Write, net::SocketAddr, sync::LazyLock};

use axum::{
    Json, Router,
    body::Bytes,
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, get},
};
use serde_json::{Map, Value, json};

use crate::{guard, handout::Handout};

const DESCRIPTION: &str = include_str!("../../openapi.yaml");
/// The page fetches nothing from elsewhere. Scalar styles its elements itself, and has its icons as `data:`.
const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Made once: a test starts many systems.
static SCRIPT: LazyLock<Bytes> =
    LazyLock::new(|| scalar_api_reference::get_asset("scalar.js").unwrap_or_default().into());
static DESCRIPTION_FOR_THE_PAGE: LazyLock<Bytes> =
    LazyLock::new(|| for_the_page().map(|description| description.to_string()).unwrap_or_default().into());

/// The page and what it needs; `api` is what it calls. It begins with the credentials of
/// the demo, as soon as they are handed out.
pub fn router<S: Clone + Send + Sync + 'static>(handout: Handout, api: Router) -> Router<S> {
    Router::new()
        .route("/docs", get(Redirect::temporary("/docs/")))
        .route("/docs/", file("text/html; charset=utf-8", include_str!("../assets/reference/index.html")))
        .route("/docs/page.js", file("text/javascript", include_str!("../assets/reference/page.js")))
        .route("/docs/page.css", file("text/css", include_str!("../assets/reference/page.css")))
        .route("/docs/scalar.js", file("text/javascript", SCRIPT.clone()))
        .route("/docs/openapi.yaml", file("application/yaml", DESCRIPTION))
        .route("/docs/description.json", file("application/json", DESCRIPTION_FOR_THE_PAGE.clone()))
        .route("/docs/demo.json", get(async move |ConnectInfo(peer), headers| credentials(peer, &headers, &handout)))
        .nest_service("/docs/try", api.layer(map_response(readable)))
}

/// A browser hides a redirect from the page that has asked: it is answered as `200` with the status in `x-status`.
async fn readable(mut response: Response) -> Response {
    if response.status().is_redirection() {
        let status = HeaderValue::from(response.status().as_u16());
        response.headers_mut().insert(HeaderName::from_static("x-status"), status);
        *response.status_mut() = StatusCode::OK;
    }
    response
}

/// The description with what makes a better page of it: its endpoints stand at the beginning, the App's credentials, which
/// the page has, come before a customer's, and nothing is filled in that is better left empty, namely optional
/// parameters and the id of nobody.
fn for_the_page() -> Option<Value> {
    let mut description: Value = serde_saphyr::from_str(DESCRIPTION).ok()?;
    let endpoints = endpoints(&description)?;
    let text = description["info"]["description"].as_str()?;
    let (first, rest) = text.split_once("\n\n")?;
    description["info"]["description"] = format!("{first}\n\n{endpoints}\n{rest}").into();
    let parameters = description["components"]["parameters"].as_object_mut()?;
    parameters["Cuid"].as_object_mut()?.remove("example");
    let paths = description["paths"].as_object_mut()?.values_mut();
    for operation in paths.filter_map(Value::as_object_mut).flat_map(|operations| operations.values_mut()) {
        if let Some(alternatives) = operation["security"].as_array_mut() {
            alternatives.sort_by_key(|alternative| alternative.get("AppKey").is_none());
        }
        for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
            if let Some(parameter) = parameter.as_object_mut().filter(|parameter| parameter.contains_key("in"))
                && parameter.get("required") != Some(&Value::Bool(true))
            {
                parameter.retain(|field, _| !field.starts_with("example"));
                say_least(parameter);
            }
        }
    }
    Some(description)
}

/// Says a number's lower bound in words: the page takes an empty field for 0, and warns of that.
fn say_least(parameter: &mut Map<String, Value>) {
    let least = parameter.get_mut("schema").and_then(Value::as_object_mut).and_then(|schema| schema.remove("minimum"));
    if let (Some(least), Some(Value::String(text))) = (least, parameter.get_mut("description")) {
        text.extend([" It is ", &least.to_string(), " or more."]);
    }
}

/// A list of the endpoints, each a link to its place in the page.
fn endpoints(description: &Value) -> Option<String> {
    let mut list = String::new();
    for (path, operations) in description["paths"].as_object()? {
        for (method, operation) in operations.as_object()? {
            let tag = operation["tags"][0].as_str()?.to_lowercase().replace(' ', "-");
            let (method, summary) = (method.to_uppercase(), operation["summary"].as_str()?);
            writeln!(list, "- [{summary}](<#tag/{tag}/{method}{path}>): `{method} {path}`").ok()?;
        }
    }
    Some(list)
}

fn credentials(peer: SocketAddr, headers: &HeaderMap, handout: &Handout) -> Response {
    if let Err(refusal) = guard::loopback_program(peer, headers) {
        return *refusal;
    }
    let handout = handout.get();
    if handout.is_null() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let demo = json!({ "app": handout["app"], "platform": handout["platform"] });
    ([(header::CACHE_CONTROL, "no-store")], Json(demo)).into_response()
}

fn file<S: Clone + Send + Sync + 'static>(kind: &'static str, text: impl Into<Bytes>) -> MethodRouter<S> {
    let text = text.into();
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)];
    get(async move || (headers, text).into_response())
}

#[cfg(test)]
mod tests {
    use super::{DESCRIPTION, for_the_page};

    #[test]
    fn the_page_asks_first_for_what_it_has() {
        let page = for_the_page().unwrap();
        let alternatives = page["paths"]["/customer/{identifier}"]["patch"]["security"].as_array().unwrap();
        assert_eq!(alternatives.len(), 2);
        assert!(alternatives[0].get("AppKey").is_some(), "{alternatives:?}");
    }

    #[test]
    fn the_page_begins_with_every_endpoint_and_fills_in_no_optional_parameter() {
        let page = for_the_page().unwrap();
        let text = page["info"]["description"].as_str().unwrap();
        let operations = DESCRIPTION.lines().filter(|line| line.starts_with("      operationId: ")).count();
        assert_eq!(text.lines().filter(|line| line.starts_with("- [")).count(), operations);
        assert!(text.contains("- [Create a customer](<#tag/customers/POST/customer>): `POST /customer`"), "{text}");
        for (place, name) in [("query", "passcode"), ("header", "x-access-passcode")] {
            let parameters = page["paths"]["/customer/{identifier}/auth"]["get"]["parameters"].as_array().unwrap();
            let found = parameters.iter().find(|parameter| parameter["in"] == place && parameter["name"] == name);
            assert!(found.unwrap().as_object().unwrap().keys().all(|field| !field.starts_with("example")), "{name}");
        }
        let parameters = page["paths"]["/customer"]["get"]["parameters"].as_array().unwrap();
        let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
        assert_eq!(
            limit["schema"]["minimum"],
            serde_json::Value::Null,
            "an empty field is no number that is too small"
        );
        assert!(limit["description"].as_str().unwrap().ends_with(" It is 1 or more."), "{limit}");
    }
}

//! The address that everybody calls DynamoDB at: it asks IAM, notes the call, and hands it to the database's own server,
//! which nobody else knows.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context, Result};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    Tables,
    engine::{Engine, Other},
};
use crate::{
    calls::{Call, Calls, Made},
    faults::{Attempt, Faults},
    guard,
    iam::{self, Denied, Policies},
    servers::Servers,
};

/// DynamoDB's own limit on a request, in bytes.
const REQUEST_LIMIT: usize = 16 * 1024 * 1024;

/// The front of one database.
pub struct Front {
    calls: Calls,
    policies: Policies,
    faults: Faults,
    client: reqwest::Client,
    database: String,
    other: Option<Other>,
}

impl Front {
    /// Serves `tables` on `listener`.
    ///
    /// # Errors
    /// No free port for the database's own server.
    pub async fn serve(
        listener: TcpListener,
        tables: &Tables,
        calls: Calls,
        policies: Policies,
        faults: Faults,
        servers: &Servers,
    ) -> Result<()> {
        let (database, other) = match tables.engine() {
            Engine::Embedded(database) => {
                let inner = TcpListener::bind("127.0.0.1:0").await.context("no free port for the database")?;
                let url = format!("http://{}", inner.local_addr()?);
                tokio::spawn(dynoxide::server::serve_with_shutdown(inner, database.clone(), servers.end()));
                (url, None)
            }
            Engine::Other(other) => (other.url().to_owned(), Some(other.clone())),
        };
        // A proxy from the environment has no business between the two.
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let router = Router::new()
            .fallback(handle)
            .layer(DefaultBodyLimit::max(REQUEST_LIMIT))
            .with_state(Arc::new(Self { calls, policies, faults, client, database, other }));
        servers.serve(listener, router);
        Ok(())
    }

    async fn forward(&self, method: Method, uri: &Uri, mut headers: HeaderMap, body: Bytes) -> Result<Response> {
        if let Some(other) = &self.other {
            other.sign(&mut headers)?;
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let sent = self.client.request(method, format!("{}{path}", self.database)).headers(headers).body(body);
        let answer = sent.send().await?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        // They are about the connection that the answer came by.
        for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
            headers.remove(name);
        }
        Ok((status, headers, Body::from(answer.bytes().await?)).into_response())
    }
}

async fn handle(
    State(front): State<Arc<Front>>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refusal) = guard::not_a_foreign_page(&headers) {
        return *refusal;
    }
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let caller = front.calls.caller(text(header::AUTHORIZATION));
    let target = text(HeaderName::from_static("x-amz-target")).unwrap_or_default();
    let action = target.rsplit('.').next().unwrap_or_default().to_owned();
    let request = serde_json::from_slice(&body).unwrap_or_default();
    let tables = tables_of(&request);
    let started = front.calls.now();
    headers.remove(header::HOST);
    headers.remove(header::ORIGIN);
    let (made, allowed_by) =
        match front.policies.check(caller.function.as_deref(), &iam::dynamodb_needs(&action, &request)) {
            Ok(allowed_by) => {
                let sent = body.clone();
                let call = async {
                    front.forward(method, &uri, headers, sent).await.unwrap_or_else(|error| bad_gateway(&error))
                };
                let attempt = Attempt { caller: &caller, action: &action, request: &request, tables: &tables };
                (front.faults.around(attempt, call).await, allowed_by)
            }
            Err(Denied(message)) => (Made { answer: access_denied(&message), fault: None, cut: false }, Vec::new()),
        };
    let call = Call {
        function: caller.function,
        request_id: caller.request_id,
        service: "dynamodb",
        action,
        tables,
        started,
        ended: front.calls.now(),
        status: if made.cut { 0 } else { made.answer.status().as_u16() },
    };
    front.calls.note(call, &body, made, allowed_by).await
}

fn bad_gateway(error: &anyhow::Error) -> Response {
    (StatusCode::BAD_GATEWAY, error.to_string()).into_response()
}

/// DynamoDB's answer to a call that IAM does not allow.
fn access_denied(message: &str) -> Response {
    let body = json!({ "__type": "com.amazon.coral.service#AccessDeniedException", "Message": message });
    (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string()).into_response()
}

/// The tables that a request names.
fn tables_of(request: &Value) -> Vec<String> {
    let mut tables = BTreeSet::new();
    tables.extend(request["TableName"].as_str());
    tables.extend(request["RequestItems"].as_object().into_iter().flat_map(|items| items.keys().map(String::as_str)));
    for item in request["TransactItems"].as_array().into_iter().flatten() {
        let actions = item.as_object().into_iter().flat_map(|actions| actions.values());
        tables.extend(actions.filter_map(|action| action["TableName"].as_str()));
    }
    tables.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::tables_of;

    #[test]
    fn every_shape_of_request_names_its_tables() {
        assert_eq!(tables_of(&json!({"TableName": "A"})), ["A"]);
        assert_eq!(tables_of(&json!({"RequestItems": {"B": {}, "A": {}}})), ["A", "B"]);
        let transaction = json!({"TransactItems": [{"Put": {"TableName": "B"}}, {"Update": {"TableName": "A"}}, {"Delete": {"TableName": "B"}}]});
        assert_eq!(tables_of(&transaction), ["A", "B"]);
        assert!(tables_of(&json!("nonsense")).is_empty());
    }
}

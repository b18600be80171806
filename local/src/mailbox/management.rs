//! SES v2's calls for identities and tenants, and what stands for DNS here.
//!
//! - `POST /v2/email/tenants`, `…/tenants/get`, `…/tenants/resources`
//! - `PUT /v2/email/reputation/entities/{type}/{arn}/customer-managed-status`
//! - `POST /v2/email/identities`, `GET …/identities/{name}`, `PUT …/{name}/mail-from`, `PUT …/{name}/feedback`
//! - `PUT /identities/{name}/verified`, `DELETE /identities/{name}/verified`: no call of SES's. The records are in DNS, or
//!   they are not any more
//! - `PUT /tenants/{name}/paused`: none either. SES pauses a tenant by itself

use std::collections::BTreeMap;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde_json::{Value, json};

use super::{
    account::{Identity, Refusal, missing, no_tenant},
    server::{Action, Office},
};
use crate::iam::{
    ses_association_needs as association_needs, ses_identity_needs as identity_needs,
    ses_new_identity_needs as new_identity_needs, ses_tenant_needs as tenant_needs,
    ses_without_resource as without_resource,
};

/// The routes, which share the mailbox's office.
pub(super) fn routes() -> Router<Office> {
    Router::new()
        .route("/v2/email/tenants", post(create_tenant))
        .route("/v2/email/tenants/get", post(get_tenant))
        .route("/v2/email/tenants/resources", post(associate))
        .route("/v2/email/reputation/entities/{kind}/{arn}/customer-managed-status", put(set_status))
        .route("/v2/email/identities", post(create_identity))
        .route("/v2/email/identities/{name}", get(get_identity))
        .route("/v2/email/identities/{name}/mail-from", put(set_mail_from))
        .route("/v2/email/identities/{name}/feedback", put(set_feedback))
        .route("/identities/{name}/verified", put(verified).delete(lost))
        .route("/tenants/{name}/paused", put(pause))
}

/// What a call comes to.
type Outcome = Result<Value, Refusal>;

pub(super) fn respond(outcome: Outcome) -> Response {
    match outcome {
        Ok(answer) => Json(answer).into_response(),
        Err(Refusal(status, kind, message)) => {
            (status, [("x-amzn-errortype", kind)], Json(json!({ "message": message }))).into_response()
        }
    }
}

fn text<'a>(request: &'a Value, name: &str) -> &'a str {
    request[name].as_str().unwrap_or_default()
}

fn parsed(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

async fn create_tenant(State(office): State<Office>, headers: HeaderMap, body: Bytes) -> Response {
    let request = parsed(&body);
    let needs = without_resource("ses:CreateTenant");
    let action = Action { name: "CreateTenant", request: &request, needs: &needs };
    let account = office.mailbox.account.clone();
    let made = async {
        let name = text(&request, "TenantName");
        respond(account.create_tenant(name).map(|tenant| {
            let arn = tenant.arn(name);
            json!({ "TenantName": name, "TenantId": tenant.id, "TenantArn": arn, "SendingStatus": tenant.status })
        }))
    };
    office.call(&headers, &body, action, made).await
}

async fn get_tenant(State(office): State<Office>, headers: HeaderMap, body: Bytes) -> Response {
    let request = parsed(&body);
    let (name, account) = (text(&request, "TenantName"), office.mailbox.account.clone());
    let needs = tenant_needs("ses:GetTenant", &account, name);
    let action = Action { name: "GetTenant", request: &request, needs: &needs };
    let found = async {
        let tenant = account.tenant(name).ok_or_else(|| no_tenant(name));
        respond(tenant.map(|tenant| {
            let (arn, status) = (tenant.arn(name), tenant.status);
            json!({ "Tenant": {
                "TenantName": name, "TenantId": tenant.id, "TenantArn": arn, "SendingStatus": status,
            } })
        }))
    };
    office.call(&headers, &body, action, found).await
}

async fn associate(State(office): State<Office>, headers: HeaderMap, body: Bytes) -> Response {
    let request = parsed(&body);
    let (tenant, resource) = (text(&request, "TenantName"), text(&request, "ResourceArn"));
    let account = office.mailbox.account.clone();
    let needs = association_needs(&account, tenant, resource);
    let action = Action { name: "CreateTenantResourceAssociation", request: &request, needs: &needs };
    let associated = async { respond(account.associate(tenant, resource).map(|()| json!({}))) };
    office.call(&headers, &body, action, associated).await
}

async fn set_status(
    State(office): State<Office>,
    headers: HeaderMap,
    Path((_, arn)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let request = parsed(&body);
    let account = office.mailbox.account.clone();
    let name = arn.split('/').nth(1).unwrap_or_default();
    let needs = tenant_needs("ses:UpdateReputationEntityCustomerManagedStatus", &account, name);
    let action = Action { name: "UpdateReputationEntityCustomerManagedStatus", request: &request, needs: &needs };
    let set = async { respond(account.set_status(&arn, text(&request, "SendingStatus")).map(|()| json!({}))) };
    office.call(&headers, &body, action, set).await
}

async fn create_identity(State(office): State<Office>, headers: HeaderMap, body: Bytes) -> Response {
    let request = parsed(&body);
    let name = text(&request, "EmailIdentity");
    let tag = |tag: &Value| (text(tag, "Key").to_owned(), text(tag, "Value").to_owned());
    let tags: BTreeMap<_, _> = request["Tags"].as_array().into_iter().flatten().map(tag).collect();
    let account = office.mailbox.account.clone();
    let needs = new_identity_needs(&account, name, &tags);
    let action = Action { name: "CreateEmailIdentity", request: &request, needs: &needs };
    let made = async {
        respond(account.create_identity(name, tags).map(|()| {
            let identity = account.identity(name).unwrap_or_default();
            json!({ "IdentityType": "DOMAIN", "VerifiedForSendingStatus": false, "DkimAttributes": dkim(&identity) })
        }))
    };
    office.call(&headers, &body, action, made).await
}

fn status(identity: &Identity) -> &'static str {
    if identity.is_verified { "SUCCESS" } else { "PENDING" }
}

fn dkim(identity: &Identity) -> Value {
    json!({
        "SigningEnabled": true, "Status": status(identity), "Tokens": identity.tokens, "SigningAttributesOrigin": "AWS_SES",
    })
}

async fn get_identity(State(office): State<Office>, headers: HeaderMap, Path(name): Path<String>) -> Response {
    let account = office.mailbox.account.clone();
    let needs = identity_needs("ses:GetEmailIdentity", &account, &name);
    let action = Action { name: "GetEmailIdentity", request: &Value::Null, needs: &needs };
    let found = async {
        let identity = account.identity(&name).ok_or_else(|| missing(format!("Email identity {name} does not exist.")));
        respond(identity.map(|identity| {
            let tags = identity.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
            let mut answer = json!({
                "IdentityType": "DOMAIN", "FeedbackForwardingStatus": identity.is_forwarding,
                "VerifiedForSendingStatus": identity.is_verified, "VerificationStatus": status(&identity),
                "DkimAttributes": dkim(&identity), "Tags": tags.collect::<Vec<_>>(),
            });
            if let Some(domain) = &identity.mail_from {
                answer["MailFromAttributes"] = json!({
                    "MailFromDomain": domain, "MailFromDomainStatus": status(&identity),
                    "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
                });
            }
            answer
        }))
    };
    office.call(&headers, &Bytes::new(), action, found).await
}

async fn set_mail_from(
    State(office): State<Office>,
    headers: HeaderMap,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let request = parsed(&body);
    let account = office.mailbox.account.clone();
    let needs = identity_needs("ses:PutEmailIdentityMailFromAttributes", &account, &name);
    let action = Action { name: "PutEmailIdentityMailFromAttributes", request: &request, needs: &needs };
    let domain = request["MailFromDomain"].as_str().map(str::to_owned);
    let set =
        async { respond(account.change_identity(&name, |identity| identity.mail_from = domain).map(|()| json!({}))) };
    office.call(&headers, &body, action, set).await
}

async fn set_feedback(
    State(office): State<Office>,
    headers: HeaderMap,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let request = parsed(&body);
    let account = office.mailbox.account.clone();
    let needs = identity_needs("ses:PutEmailIdentityFeedbackAttributes", &account, &name);
    let action = Action { name: "PutEmailIdentityFeedbackAttributes", request: &request, needs: &needs };
    let on = request["EmailForwardingEnabled"] == true;
    let set =
        async { respond(account.change_identity(&name, |identity| identity.is_forwarding = on).map(|()| json!({}))) };
    office.call(&headers, &body, action, set).await
}

async fn verified(State(office): State<Office>, Path(name): Path<String>) -> Response {
    told(&office, &name, true)
}

async fn lost(State(office): State<Office>, Path(name): Path<String>) -> Response {
    told(&office, &name, false)
}

async fn pause(State(office): State<Office>, Path(name): Path<String>) -> Response {
    match office.mailbox.account.pause(&name) {
        Some(arn) => {
            office.mailbox.outcomes.tell_of_pause(&arn);
            StatusCode::NO_CONTENT.into_response()
        }
        None => (StatusCode::NOT_FOUND, Json(json!({ "message": "There is no such tenant." }))).into_response(),
    }
}

fn told(office: &Office, name: &str, is_verified: bool) -> Response {
    if office.mailbox.account.verify(name, is_verified) {
        return StatusCode::NO_CONTENT.into_response();
    }
    (StatusCode::NOT_FOUND, Json(json!({ "message": "There is no such identity." }))).into_response()
}

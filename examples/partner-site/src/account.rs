//! What a customer does who is signed in. The session holds the customer's own pair and nothing else: who it is, and
//! which address is theirs, says the record. It is read with the pair before each act, so a session ends with its pair.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::{HeaderMap, Uri},
    response::{IntoResponse, Redirect, Response},
};
use serde_json::Value;

use crate::{
    Site, TheSite,
    api::{Asked, Failure, Pair},
    go,
    page::Page,
    words::Words,
};

impl Site {
    /// The customer of the session and their record, or the answer to whoever has none.
    async fn customer(
        &self,
        headers: &HeaderMap,
        w: &'static Words,
        next: Option<String>,
    ) -> Result<(Arc<Pair>, Value), Response> {
        let Some(pair) = self.customers.find(headers) else {
            return Err(self.ask_to_sign_in(headers, "", next).await);
        };
        match self.api.record(&pair).await {
            Ok(record) => Ok((pair, record)),
            // The pair has expired or was revoked, or the customer is erased: whoever it is may sign in again.
            Err(Failure::Refused(refusal)) if ["invalid_token", "no_matching_key"].contains(&&*refusal.code) => {
                Err(self.ask_to_sign_in(headers, w.session_over, next).await)
            }
            Err(failure @ Failure::Refused(_)) => Err(self.ask_to_sign_in(headers, &failure.told(w), None).await),
            Err(failure) => Err(self.trouble(Page::Account { fields: Vec::new() }, w, &failure)),
        }
    }
}

pub async fn account(State(site): TheSite, headers: HeaderMap, w: &'static Words) -> Response {
    let (pair, record) = match site.customer(&headers, w, None).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let named = [
        (w.company, "company"),
        (w.name_label, "name"),
        (w.email, "email"),
        (w.country, "country"),
        (w.website, "website"),
    ];
    let field = |(label, name)| Some((label, record[name].as_str()?.to_owned()));
    let mut fields: Vec<_> = named.into_iter().filter_map(field).collect();
    fields.push((w.customer_id, pair.cuid.clone()));
    site.show(Page::Account { fields }, w, String::new())
}

/// Sends the customer to the platform with a ticket.
pub async fn sso(
    State(site): TheSite,
    headers: HeaderMap,
    w: &'static Words,
    here: Uri,
    Query(asked): Query<Asked>,
) -> Response {
    let here = here.path_and_query().map(ToString::to_string);
    let (pair, _) = match site.customer(&headers, w, here).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    match site.api.way_to_platform(&pair.cuid, &asked).await {
        Ok(location) => Redirect::to(&location).into_response(),
        // It is no path that the API hands on.
        Err(Failure::Refused(refusal)) if refusal.code == "invalid_request" => site.not_found(w, "/account"),
        Err(failure) => site.trouble(Page::Account { fields: Vec::new() }, w, &failure),
    }
}

/// Ends the session here, and the pair at the API. If that fails, the pair ends by itself in time, and nobody has it.
pub async fn sign_out(State(site): TheSite, headers: HeaderMap) -> Response {
    if let Some(pair) = site.customers.find(&headers) {
        let _ = site.api.end(&pair).await;
    }
    go("/", [site.customers.end(&headers), site.visits.end(&headers)])
}

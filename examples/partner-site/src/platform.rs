//! The platform's side: another party, which shares nothing with the partner's site but the address that the example is
//! served at. Its users are found by `cuid`.

use std::sync::{Arc, PoisonError};

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use time::Duration;

use crate::{
    Site, TheSite,
    api::{Asked, Failure, Identity},
    go,
    page::Page,
    session,
    words::Words,
};

/// What a path may not hold as it is.
const IN_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'\\');

/// The cookie with the `state` of a sign-in that this browser has begun.
const STATE: &str = "platform_state";

/// Begins a sign-in, which ends at the page that was asked for. The partner hands the `state` on, the API binds it to
/// the ticket: so a ticket seats nobody in a browser that has not asked for it.
pub async fn sign_in(Query(asked): Query<Asked>) -> Response {
    let Ok(state) = session::random() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let page = asked.return_to.map(|path| utf8_percent_encode(&path, NON_ALPHANUMERIC).to_string());
    let page = page.map(|path| format!("&return_to={path}")).unwrap_or_default();
    let cookie = session::set(STATE, &state, "/platform", Duration::minutes(15));
    go(&format!("/sso?state={state}{page}"), [cookie])
}

/// How a browser comes back.
#[derive(Deserialize)]
pub struct Arrival {
    ticket: Option<String>,
}

/// The home page, and where tickets come to. A ticket is redeemed at once, and the browser sent on to an address without
/// it.
pub async fn home(
    State(site): TheSite,
    headers: HeaderMap,
    w: &'static Words,
    Query(arrival): Query<Arrival>,
) -> Response {
    let Some(ticket) = arrival.ticket else { return show(&site, &headers, w, None) };
    let begun = session::cookie(&headers, STATE);
    let refused = match site.api.redeem(&ticket).await {
        Ok(identity) if begun.is_some() && identity.state == begun => return seat(&site, identity),
        // This browser has not asked for it: somebody else wants it to be signed in, perhaps as somebody else.
        Ok(_) => Page::Outside { return_to: String::new() },
        // Or the reply to an earlier attempt was lost: a new ticket is one click away all the same.
        Err(Failure::Refused(refusal)) if ["invalid_ticket", "invalid_request"].contains(&&*refusal.code) => {
            Page::TicketRefused
        }
        Err(failure) => return site.trouble(Page::Outside { return_to: String::new() }, w, &failure),
    };
    // Whoever is signed in has no need of a ticket.
    if site.guests.find(&headers).is_some() {
        return Redirect::to("/platform").into_response();
    }
    refused.show(StatusCode::FORBIDDEN, w, String::new(), &site.onlookers)
}

/// Signs the user of this `cuid` in, and leads to the page that was asked for.
fn seat(site: &Site, identity: Identity) -> Response {
    let Ok(cookie) = site.guests.begin(Arc::new(identity.cuid.clone())) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let page = identity.return_to.clone().unwrap_or_default();
    site.users.lock().unwrap_or_else(PoisonError::into_inner).insert(identity.cuid.clone(), identity);
    let over = session::set(STATE, "", "/platform", Duration::ZERO);
    go(&format!("/platform{}", utf8_percent_encode(&page, IN_PATH)), [cookie, over])
}

/// A page below: there are campaigns, and nothing else.
pub async fn below(State(site): TheSite, headers: HeaderMap, w: &'static Words, Path(path): Path<String>) -> Response {
    match path
        .strip_prefix("campaigns/")
        .filter(|number| number.len() < 5 && number.bytes().all(|b| b.is_ascii_digit()))
    {
        Some(number) => show(&site, &headers, w, Some(number.to_owned())),
        None => site.not_found(w, "/platform"),
    }
}

fn show(site: &Site, headers: &HeaderMap, w: &'static Words, campaign: Option<String>) -> Response {
    let users = || site.users.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(user) = site.guests.find(headers).and_then(|cuid| users().get(&*cuid).cloned()) else {
        let return_to = campaign.map(|number| format!("/campaigns/{number}")).unwrap_or_default();
        return Page::Outside { return_to }.show(StatusCode::FORBIDDEN, w, String::new(), &site.onlookers);
    };
    let Identity { cuid, email, company, name, app_name: app, .. } = user;
    let (company, name) = (company.unwrap_or_default(), name.unwrap_or_else(|| email.clone()));
    site.show(Page::Platform { name, company, email, cuid, app, campaign }, w, String::new())
}

pub async fn sign_out(State(site): TheSite, headers: HeaderMap) -> Response {
    go("/platform", [site.guests.end(&headers)])
}

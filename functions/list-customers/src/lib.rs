//! `GET /customer`: an App's customers, page by page; and, behind the route `$default`, `GET /customer/` and the 404 of
//! every route that is none.

mod cursor;
mod page;

use cursor::Cursor;
use lambda_http::Request;
use page::{Page, read_page};
use shared::{
    Clock, Error, Result, Store,
    auth::{AppCredentials, Policy},
    error::During,
    http::{Call, Reply, raw_json, with_header},
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Directory and Customers.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Where credentials may stand.
    pub policy: Policy,
}

const STEP: &str = "The customers could not be listed. Try again later.";

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request) -> Reply {
    let call = Call::new(request);
    let result = respond(deps, &call).await;
    call.answer(result, &deps.store)
}

async fn respond(deps: &Deps, call: &Call) -> Result<Reply> {
    if call.method() != "GET" || !matches!(call.path(), "/customer" | "/customer/") {
        return Err(Error::RouteNotFound);
    }
    let credentials = AppCredentials::read(call, deps.policy)?;
    let [app] = deps.store.batch_get([credentials.record_key()]).await.during(STEP)?;
    let app = credentials.verify(call, app.as_ref(), deps.clock.now())?;

    let limit = call.query("limit").and_then(|limit| limit.map(parse_limit).transpose());
    let open = |text| Cursor::open(text, &app.cursor_key);
    let after = call.query("cursor").and_then(|cursor| cursor.map(open).transpose());
    let (limit, after) = both(limit, after)?;

    let Page { json, last } = read_page(&deps.store, &app, after, limit).await.during(STEP)?;
    let reply = raw_json(200, json);
    Ok(match last {
        None => reply,
        Some(last) => {
            let limit = limit.map(|limit| format!("limit={limit}&")).unwrap_or_default();
            let cursor = last.seal(&app.cursor_key);
            with_header(reply, "link", &format!("</customer?{limit}cursor={cursor}>; rel=\"next\""))
        }
    })
}

/// The two values, or the bad fields of both.
fn both<A, B>(one: Result<A>, other: Result<B>) -> Result<(A, B)> {
    match (one, other) {
        (Err(Error::Invalid(mut bad)), Err(Error::Invalid(also_bad))) => {
            bad.extend(also_bad);
            Err(Error::Invalid(bad))
        }
        (one, other) => Ok((one?, other?)),
    }
}

fn parse_limit(text: &str) -> Result<usize> {
    let limit = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    limit
        .filter(|limit| (1..=1000).contains(limit))
        .ok_or_else(|| Error::invalid("limit", "Must be a whole number from 1 to 1000."))
}

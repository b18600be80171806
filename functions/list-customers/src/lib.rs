//! `GET /customer`: an App's customers, page by page; and, behind the route `$default`, `GET /customer/` and the 404 of
//! every route that is none.

mod cursor;
mod page;

use aws_config::SdkConfig;
use cursor::Cursor;
use page::{Page, read_page};
use shared::{
    Clock, Error, Result, Store,
    auth::{AppCredentials, Policy},
    error::{During, both},
    http::{Call, Endpoint, Reply, raw_json, with_header},
    store::Table,
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

impl Deps {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, lambda_http::Error> {
        Ok(Self {
            store: Store::from_env(sdk, &[Table::Apps, Table::Directory, Table::Customers])?,
            clock: Clock::system(),
            policy: Policy::from_env()?,
        })
    }
}

const STEP: &str = "The customers could not be listed. Try again later.";

impl Endpoint for Deps {
    fn store(&self) -> &Store {
        &self.store
    }

    async fn respond(&self, call: &Call) -> Result<Reply> {
        if call.method() != "GET" || !matches!(call.path(), "/customer" | "/customer/") {
            return Err(Error::RouteNotFound);
        }
        let credentials = AppCredentials::read(call, self.policy)?;
        let app = self.store.get(credentials.record_key()).await.during(STEP)?;
        let app = credentials.verify(call, app.as_ref(), self.clock.now())?;

        let limit = call.query("limit").and_then(|limit| limit.map(parse_limit).transpose());
        let open = |text| Cursor::open(text, &app.cursor_key);
        let after = call.query("cursor").and_then(|cursor| cursor.map(open).transpose());
        let (limit, after) = both(limit, after)?;

        let Page { json, last } = read_page(&self.store, &app, after, limit).await.during(STEP)?;
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
}

fn parse_limit(text: &str) -> Result<usize> {
    let limit = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    limit
        .filter(|limit| (1..=1000).contains(limit))
        .ok_or_else(|| Error::invalid("limit", "Must be a whole number from 1 to 1000."))
}

//! `GET /customer`: an App's customers, page by page, or the one who has an address; and, behind the route `$default`, `GET /customer/` and the 404 of
//! every route that is none.

mod cursor;
mod page;

use aws_config::SdkConfig;
use cursor::Cursor;
use page::{Page, read_page};
use shared::{
    Clock, Error, Result, Store,
    auth::{App, AppCredentials, Policy},
    customer::{Customer, guard_key, record_key},
    email::EmailAddress,
    error::{During, both},
    http::{Call, Endpoint, Reply, json, raw_json, with_header},
    id::Cuid,
    store::{Item, ItemExt, Table},
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
        let email = call.query("email");
        let address = email.as_ref().ok().copied().flatten().and_then(EmailAddress::parse);
        let guard = address.map(|address| guard_key(credentials.superkey(), &address));
        let [app, guard] = self.store.batch_get([Some(credentials.record_key()), guard]).await.during(STEP)?;
        let app = credentials.verify(call, app.as_ref(), self.clock.now())?;
        match email {
            Ok(None) => self.list(call, &app).await,
            email => {
                both(email, both(stands_alone(call, "cursor"), stands_alone(call, "limit")))?;
                self.find(&app, guard.as_ref()).await
            }
        }
    }
}

impl Deps {
    /// The customer whom the guard of an address names, alone in an array; an empty one where there is none.
    async fn find(&self, app: &App, guard: Option<&Item>) -> Result<Reply> {
        let key = guard.and_then(|guard| Cuid::parse(guard.text("cuid")?)).as_ref().map(record_key);
        let [customer] = self.store.batch_get([key]).await.during(STEP)?;
        let customer = customer.as_ref().and_then(|customer| app.own(customer));
        json(200, &customer.iter().map(Customer::to_json).collect::<Vec<_>>())
    }

    async fn list(&self, call: &Call, app: &App) -> Result<Reply> {
        let limit = call.query("limit").and_then(|limit| limit.map(parse_limit).transpose());
        let open = |text| Cursor::open(text, &app.cursor_key);
        let after = call.query("cursor").and_then(|cursor| cursor.map(open).transpose());
        let (limit, after) = both(limit, after)?;

        let Page { json, last } = read_page(&self.store, app, after, limit).await.during(STEP)?;
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

/// A parameter of lists is of no use to a search.
fn stands_alone(call: &Call, name: &'static str) -> Result<()> {
    match call.query(name) {
        Ok(None) => Ok(()),
        _ => Err(Error::invalid(name, "Must not stand beside email.")),
    }
}

fn parse_limit(text: &str) -> Result<usize> {
    let limit = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    limit
        .filter(|limit| (1..=1000).contains(limit))
        .ok_or_else(|| Error::invalid("limit", "Must be a whole number from 1 to 1000."))
}

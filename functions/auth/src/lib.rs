//! `GET /customer/{identifier}/auth`: a new pair, for a `cuid`, or for an address with the passcode mailed to it.

use std::time::Duration;

use lambda_http::Request;
use shared::{
    Clock, Error, Result, Store, Timestamp,
    audit::Event,
    auth::{App, AppCredentials, Policy},
    credential::IssuedPair,
    customer::{self, Customer, Guard, guard_key},
    email::EmailAddress,
    error::During,
    http::{Call, Reply, json},
    passcode::{self, Guess, Guessed, Passcode, Peppers, count_guess, redeem},
    store::{Key, Table},
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Customers, Directory, Passcodes and Credentials.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Where credentials may stand.
    pub policy: Policy,
    /// What codes are derived with.
    pub peppers: Peppers,
    /// How long a pair is valid.
    pub credential_lifetime: Duration,
}

const STEP: &str = "The credentials could not be issued. Try again later.";
const GUESS_STEP: &str = "The passcode could not be checked. Try again later.";

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request) -> Reply {
    let call = Call::new(request);
    let result = respond(deps, &call).await;
    call.answer(result, &deps.store)
}

async fn respond(deps: &Deps, call: &Call) -> Result<Reply> {
    let credentials = AppCredentials::read(call, deps.policy)?;
    if call.identifier().contains('@') {
        auth_by_email(deps, call, &credentials).await
    } else {
        auth_by_cuid(deps, call, &credentials).await
    }
}

async fn auth_by_cuid(deps: &Deps, call: &Call, credentials: &AppCredentials) -> Result<Reply> {
    let keys = [credentials.record_key(), customer::record_key(call.identifier())];
    let [app, customer] = deps.store.batch_get(keys).await.during(STEP)?;
    let now = deps.clock.now();
    let app = credentials.verify(call, app.as_ref(), now)?;

    let customer = Customer::of(&app, customer.as_ref())?;
    if customer.suspended {
        return Err(Error::NotAllowed);
    }
    let (pair, item) =
        IssuedPair::new(&customer.cuid, &app.superkey, customer.epoch, now, deps.credential_lifetime).during(STEP)?;
    deps.store.put(Table::Credentials, item).await.during(STEP)?;

    Event::PairIssued.log(call.request_id(), &app.superkey, &customer.cuid);
    Ok(json(200, &pair))
}

async fn auth_by_email(deps: &Deps, call: &Call, credentials: &AppCredentials) -> Result<Reply> {
    let address = EmailAddress::parse(call.identifier());
    let superkey = credentials.superkey();
    let keys = [credentials.record_key(), guard_key(superkey, address.as_ref())];
    let [app, guard] = deps.store.batch_get(keys).await.during(STEP)?;
    let now = deps.clock.now();
    let app = credentials.verify(call, app.as_ref(), now)?;

    let passcode = presented_passcode(call)?;

    let customer = Guard::active(guard.as_ref())?;
    // Eight digits or nothing: what cannot be a code is not counted as a guess.
    let passcode = Passcode::parse(&passcode).ok_or(Error::InvalidPasscode)?;
    let key = passcode::record_key(&app.superkey, address.as_ref());
    let nonce = check(deps, call, &app, &customer, &key, &passcode).await?;
    issue_for_passcode(deps, call, &app, &customer, &key, nonce, now).await
}

/// The passcode as sent: the header wins, as it does for every credential.
fn presented_passcode(call: &Call) -> Result<String> {
    let sent = match call.header("x-access-passcode")? {
        Some(header) => Some(header),
        None => call.query("passcode")?,
    };
    sent.filter(|text| !text.is_empty()).map(str::to_owned).ok_or(Error::MissingPasscode)
}

/// Counts and compares the guess; answers the nonce of the passcode that it is right about.
async fn check(
    deps: &Deps,
    call: &Call,
    app: &App,
    customer: &Guard,
    key: &Key,
    passcode: &Passcode,
) -> Result<Vec<u8>> {
    let guess = Guess { key, app: &app.superkey, cuid: &customer.cuid, passcode };
    let log = |event: Event| event.log(call.request_id(), &app.superkey, &customer.cuid);
    match count_guess(&deps.store, &deps.peppers, &guess, deps.clock.now()).await.during(GUESS_STEP)? {
        Guessed::Right { nonce } => return Ok(nonce),
        Guessed::Refused => {}
        Guessed::Wrong { exhausted, paused } => {
            log(Event::GuessedWrong);
            if exhausted {
                log(Event::PasscodeExhausted);
            }
            if paused {
                log(Event::GuessesPaused);
            }
        }
    }
    Err(Error::InvalidPasscode)
}

/// Uses the passcode up and issues the pair, together.
async fn issue_for_passcode(
    deps: &Deps,
    call: &Call,
    app: &App,
    customer: &Guard,
    key: &Key,
    nonce: Vec<u8>,
    now: Timestamp,
) -> Result<Reply> {
    let (pair, item) =
        IssuedPair::new(&customer.cuid, &app.superkey, customer.epoch, now, deps.credential_lifetime).during(STEP)?;
    if !redeem(&deps.store, key, nonce, item, deps.clock.now()).await.during(STEP)? {
        return Err(Error::InvalidPasscode);
    }
    Event::PasscodeRedeemed.log(call.request_id(), &app.superkey, &customer.cuid);
    Event::PairIssued.log(call.request_id(), &app.superkey, &customer.cuid);
    Ok(json(200, &pair))
}

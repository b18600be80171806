//! `GET /customer/{identifier}/auth`: a new pair, for a `cuid`, or for an address with the passcode mailed to it.

use std::time::Duration;

use aws_config::SdkConfig;
use shared::{
    Clock, Error, Result, Store,
    audit::Event,
    auth::{AppCredentials, Policy},
    config,
    credential::IssuedPair,
    customer::{self, Guard, guard_key},
    email::EmailAddress,
    error::During,
    http::{Call, Endpoint, Reply, json},
    id::Cuid,
    passcode::{self, Guess, Guessed, Passcode, Pepper, count_guess, redeem},
    store::Table,
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
    pub pepper: Pepper,
    /// How long a pair is valid.
    pub credential_lifetime: Duration,
}

impl Deps {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, lambda_http::Error> {
        Ok(Self {
            store: Store::from_env(
                sdk,
                &[Table::Apps, Table::Customers, Table::Directory, Table::Passcodes, Table::Credentials],
            )?,
            clock: Clock::system(),
            policy: Policy::from_env()?,
            pepper: Pepper::from_env()?,
            credential_lifetime: config::seconds("CREDENTIAL_TTL_SECONDS")?,
        })
    }
}

const STEP: &str = "The credentials could not be issued. Try again later.";
const GUESS_STEP: &str = "The passcode could not be checked. Try again later.";

impl Endpoint for Deps {
    fn store(&self) -> &Store {
        &self.store
    }

    async fn respond(&self, call: &Call) -> Result<Reply> {
        let credentials = AppCredentials::read(call, self.policy)?;
        if call.identifier().contains('@') {
            auth_by_email(self, call, &credentials).await
        } else {
            auth_by_cuid(self, call, &credentials).await
        }
    }
}

async fn auth_by_cuid(deps: &Deps, call: &Call, credentials: &AppCredentials) -> Result<Reply> {
    let customer = Cuid::parse(call.identifier()).as_ref().map(customer::record_key);
    let keys = [Some(credentials.record_key()), customer];
    let [app, customer] = deps.store.batch_get(keys).await.during(STEP)?;
    let now = deps.clock.now();
    let app = credentials.verify(call, app.as_ref(), now)?;

    let subject = app.active_customer(call, customer.as_ref())?.subject;
    let (pair, item) = IssuedPair::new(&subject, now, deps.credential_lifetime).during(STEP)?;
    deps.store.put(Table::Credentials, item).await.during(STEP)?;

    call.audit(Event::PairIssued, &subject);
    json(200, &pair)
}

async fn auth_by_email(deps: &Deps, call: &Call, credentials: &AppCredentials) -> Result<Reply> {
    let address = EmailAddress::parse(call.identifier());
    let guard = address.as_ref().map(|address| guard_key(credentials.superkey(), address));
    let keys = [Some(credentials.record_key()), guard];
    let [app, guard] = deps.store.batch_get(keys).await.during(STEP)?;
    let now = deps.clock.now();
    let app = credentials.verify(call, app.as_ref(), now)?;

    let passcode = presented_passcode(call)?;

    let guard = app.guard(call, guard.as_ref())?;
    // What cannot be a code is not counted as a guess.
    let passcode = Passcode::parse(&passcode).ok_or(Error::InvalidPasscode)?;
    let key = passcode::record_key(&guard.subject.app, &guard.address);
    let guess = Guess { key: &key, whose: &guard.subject, passcode: &passcode };
    let nonce = check(deps, call, &guess).await?;
    issue_for_passcode(deps, call, &guard, nonce).await
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
async fn check(deps: &Deps, call: &Call, guess: &Guess<'_>) -> Result<Vec<u8>> {
    let log = |event: Event| call.audit(event, guess.whose);
    match count_guess(&deps.store, &deps.pepper, guess, deps.clock.now()).await.during(GUESS_STEP)? {
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

/// Uses the passcode up and issues the pair, together; the first time the address is proved by that, too.
async fn issue_for_passcode(deps: &Deps, call: &Call, guard: &Guard, nonce: Vec<u8>) -> Result<Reply> {
    let subject = &guard.subject;
    let now = deps.clock.now();
    let (pair, item) = IssuedPair::new(subject, now, deps.credential_lifetime).during(STEP)?;
    if !redeem(&deps.store, guard, nonce, item, now).await.during(STEP)? {
        return Err(Error::InvalidPasscode);
    }
    call.audit(Event::PasscodeRedeemed, subject);
    call.audit(Event::PairIssued, subject);
    json(200, &pair)
}

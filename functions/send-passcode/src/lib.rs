//! `GET /customer/{email}/passcode`: mails the customer a passcode. The only function that knows the mail provider.

mod mail;
mod mailer;

use lambda_http::Request;
pub use mailer::{MailError, Mailer};
use shared::{
    Clock, Error, Result, Store,
    app::{Brand, Grant},
    audit::Event,
    auth::{App, AppCredentials, Policy},
    customer::{Guard, guard_key},
    email::EmailAddress,
    error::During,
    http::{Call, Reply, json, retry_after, with_header},
    passcode::{
        Claim, Claimed, Peppers, Plan, SendRules, State, claim_mail, confirm_mail, plan_send, record_key, release_mail,
    },
    store::Key,
};

/// What the function works with.
#[derive(Debug)]
pub struct Deps {
    /// Apps, Directory and Passcodes.
    pub store: Store,
    /// The mail provider.
    pub mailer: Mailer,
    /// The time.
    pub clock: Clock,
    /// Where credentials may stand.
    pub policy: Policy,
    /// What codes are derived with.
    pub peppers: Peppers,
    /// How long a code is valid, and how long the next mail is held back.
    pub rules: SendRules,
}

/// The customer, and where the passcode is.
struct Recipient<'a> {
    app: &'a App,
    customer: &'a Guard,
    key: &'a Key,
}

const STEP: &str = "The passcode could not be prepared. Try again later.";
const MAIL_STEP: &str = "The passcode could not be mailed. Try again later.";

/// How often a send decides anew on what others wrote meanwhile.
const DECISIONS: usize = 4;

/// Answers one request.
pub async fn handle(deps: &Deps, request: Request) -> Reply {
    let call = Call::new(request);
    let result = respond(deps, &call).await;
    call.answer(result, &deps.store)
}

async fn respond(deps: &Deps, call: &Call) -> Result<Reply> {
    let credentials = AppCredentials::read(call, deps.policy)?;
    let address = EmailAddress::parse(call.identifier());
    let superkey = credentials.superkey();
    let key = record_key(superkey, address.as_ref());
    let keys = [credentials.record_key(), guard_key(superkey, address.as_ref()), key.clone()];
    let [app, guard, item] = deps.store.batch_get(keys).await.during(STEP)?;
    let app = credentials.verify(call, app.as_ref(), deps.clock.now())?.require(Grant::Passcode)?;

    let customer = Guard::active(guard.as_ref())?;
    let recipient = Recipient { app: &app, customer: &customer, key: &key };
    let held_back = match claim(deps, call, &recipient, State::from_item(item.as_ref())).await? {
        Ok(claim) => {
            mail(deps, call, &recipient, &claim).await?;
            None
        }
        Err(HeldBack { retry_after }) => Some(retry_after),
    };

    let address = customer.address.as_typed();
    let reply = json(200, &serde_json::json!({ "message": format!("We have emailed the passcode to: {address}") }));
    Ok(match held_back {
        None => reply,
        Some(wait) => with_header(reply, "retry-after", &retry_after(wait)),
    })
}

/// A mail with the living code is out or going out: the answer is the same, and there is nothing to do.
struct HeldBack {
    retry_after: std::time::Duration,
}

/// Decides whether there is a mail to be sent, and claims it.
async fn claim(
    deps: &Deps,
    call: &Call,
    recipient: &Recipient<'_>,
    mut state: State,
) -> Result<Result<Claim, HeldBack>> {
    let Recipient { app, customer, key } = recipient;
    for _ in 0..DECISIONS {
        let now = deps.clock.now();
        let plan = plan_send(&state, &deps.peppers, [&app.superkey, &customer.cuid], deps.rules, now).during(STEP)?;
        match plan {
            Plan::HeldBack { retry_after } => return Ok(Err(HeldBack { retry_after })),
            Plan::TooMany { retry_after } => return Err(Error::TooManyMails { retry_after }),
            Plan::Mail(claim) => {
                let lease_until = call.deadline_or(now + deps.rules.cooldown);
                match claim_mail(&deps.store, key, &customer.cuid, &claim, lease_until).await.during(STEP)? {
                    Claimed::Won => return Ok(Ok(claim)),
                    // The customer was erased or has another address since the guard was read: a code of theirs would
                    // take the place of their successor's.
                    Claimed::Changed(newer) if newer.cuid.as_deref() != Some(&customer.cuid) => break,
                    Claimed::Changed(newer) => state = *newer,
                }
            }
        }
    }
    Err(Error::Failed { step: STEP, source: "others wrote to the passcode meanwhile".into() })
}

/// Mails the code of a claim, and notes what became of it.
async fn mail(deps: &Deps, call: &Call, recipient: &Recipient<'_>, claim: &Claim) -> Result<()> {
    let Recipient { app, customer, key } = recipient;
    let log = |event: Event| event.log(call.request_id(), &app.superkey, &customer.cuid);
    match send(deps, recipient, claim).await {
        Ok(()) => {
            log(Event::PasscodeSent);
            // The mail is out: whoever asks again within the lease is held back by it, and later gets the same code.
            if let Err(error) = confirm_mail(&deps.store, key, claim, deps.clock.now()).await {
                tracing::warn!(cause = %shared::store::Causes(&*error), "the mail could not be confirmed");
            }
            Ok(())
        }
        Err(error) => {
            log(Event::MailFailed);
            let refused = error.downcast_ref::<MailError>().is_none_or(|error| error.refused);
            if let Err(error) = release_mail(&deps.store, key, claim, refused).await {
                tracing::warn!(cause = %shared::store::Causes(&*error), "the claim could not be released");
            }
            Err(Error::Failed { step: MAIL_STEP, source: error })
        }
    }
}

async fn send(
    deps: &Deps,
    recipient: &Recipient<'_>,
    claim: &Claim,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let Recipient { app, customer, .. } = recipient;
    let code = deps.peppers.code(&claim.pepper, &claim.nonce, &app.superkey, &customer.cuid);
    let code = code.ok_or("no pepper of this code's version is left")?;
    let brand = app.brand.clone().unwrap_or_else(|| Brand { name: app.name.clone(), ..Brand::default() });
    let valid_for = claim.expires_at.since(deps.clock.now());
    let mail = mail::render(&brand, customer.country.as_deref(), &code.grouped(), valid_for)?;
    let tags = [&*app.superkey, &*customer.cuid];
    deps.mailer.send(&customer.address, &mail, brand.reply_to.as_deref(), tags).await?;
    Ok(())
}

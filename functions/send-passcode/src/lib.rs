//! `GET /customer/{email}/passcode`: mails the customer a passcode. The only function that knows the mail provider.

mod mail;
mod mailer;

use std::time::Duration;

use aws_config::SdkConfig;
use mail::Sent;
pub use mailer::{Letter, MailError, Mailer};
use shared::{
    Clock, Error, Result, Store,
    app::{Brand, Grant},
    audit::Event,
    auth::{App, AppCredentials, Policy},
    config,
    customer::{Guard, guard_key},
    email::EmailAddress,
    error::{Causes, During},
    http::{Call, Endpoint, Reply, json, retry_after, with_header},
    passcode::{
        Claim, Claimed, Failure, Mailing, Owner, Passcode, Pepper, Plan, SendRules, State, limits::DECISIONS_PER_SEND,
        plan_send, record_key,
    },
    store::Table,
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
    pub pepper: Pepper,
    /// How long a code is valid, and how long the next mail is held back.
    pub rules: SendRules,
}

impl Deps {
    /// Reads the settings.
    ///
    /// # Errors
    /// Names the variable that is missing or bad.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, lambda_http::Error> {
        Ok(Self {
            store: Store::from_env(sdk, &[Table::Apps, Table::Directory, Table::Passcodes])?,
            mailer: Mailer::from_env(sdk)?,
            clock: Clock::system(),
            policy: Policy::from_env()?,
            pepper: Pepper::from_env()?,
            rules: SendRules {
                lifetime: config::seconds("PASSCODE_TTL_SECONDS")?,
                cooldown: config::seconds("PASSCODE_COOLDOWN_SECONDS")?,
            },
        })
    }
}

/// The customer, and the App that mails.
struct Recipient {
    app: App,
    customer: Guard,
}

/// What a send comes to.
enum Decision {
    /// Mail the code of this claim.
    Mail(Claim),
    /// A mail with the living code is out or going out: the answer is the same, and there is nothing to do.
    HeldBack {
        /// How long until the next mail can be had.
        retry_after: Duration,
        /// What the living code is derived from.
        nonce: Vec<u8>,
    },
}

const STEP: &str = "The passcode could not be prepared. Try again later.";
const MAIL_STEP: &str = "The passcode could not be mailed. Try again later.";

impl Endpoint for Deps {
    fn store(&self) -> &Store {
        &self.store
    }

    async fn respond(&self, call: &Call) -> Result<Reply> {
        let credentials = AppCredentials::read(call, self.policy)?;
        let superkey = credentials.superkey();
        let address = EmailAddress::parse(call.identifier());
        let guard = address.as_ref().map(|address| guard_key(superkey, address));
        let passcode = address.as_ref().map(|address| record_key(superkey, address));
        let keys = [Some(credentials.record_key()), guard, passcode];
        let [app, guard, item] = self.store.batch_get(keys).await.during(STEP)?;
        let app = credentials.verify(call, app.as_ref(), self.clock.now())?.require(Grant::Passcode)?;
        if app.is_mail_suspended {
            return Err(Error::NotAllowed);
        }

        let customer = app.guard(call, guard.as_ref())?;
        if customer.mail.is_some_and(|mail| mail.holds(self.clock.now())) {
            return Err(Error::MailUndeliverable);
        }
        let recipient = Recipient { app, customer };
        let (nonce, held_back) = match self.decide(call, &recipient, State::from_item(item.as_ref())).await? {
            Decision::Mail(claim) => {
                self.mail(call, &recipient, &claim).await?;
                (claim.nonce, None)
            }
            Decision::HeldBack { retry_after, nonce } => (nonce, Some(retry_after)),
        };

        let address = recipient.customer.address.as_typed();
        let mut body = serde_json::json!({ "message": format!("We have emailed the passcode to: {address}") });
        if recipient.app.is_test {
            body["passcode"] = self.code(&recipient, &nonce).reveal().into();
        }
        let reply = json(200, &body)?;
        Ok(match held_back {
            None => reply,
            Some(wait) => with_header(reply, "retry-after", &retry_after(wait)),
        })
    }
}

impl Deps {
    fn mailing<'a>(&'a self, recipient: &'a Recipient) -> Mailing<'a> {
        let Recipient { app, customer } = recipient;
        let (whose, address, mails_per_day) = (&customer.subject, &customer.address, app.mails_per_day());
        Mailing { store: &self.store, pepper: &self.pepper, whose, address, mails_per_day }
    }

    /// Decides whether there is a mail to be sent, and claims it.
    async fn decide(&self, call: &Call, recipient: &Recipient, mut state: State) -> Result<Decision> {
        let subject = &recipient.customer.subject;
        for _ in 0..DECISIONS_PER_SEND {
            let now = self.clock.now();
            match plan_send(&state, &self.pepper, subject, self.rules, now).during(STEP)? {
                Plan::HeldBack { undeliverable: true, .. } => return Err(Error::MailUndeliverable),
                Plan::HeldBack { retry_after, nonce, .. } => return Ok(Decision::HeldBack { retry_after, nonce }),
                Plan::TooMany { retry_after } => return Err(Error::TooManyMails { retry_after }),
                Plan::Mail(claim) => {
                    let lease_until = call.deadline_or(now + self.rules.cooldown);
                    match self.mailing(recipient).claim_mail(&claim, lease_until).await.during(STEP)? {
                        Claimed::Won => return Ok(Decision::Mail(claim)),
                        Claimed::Spent { owner, retry_after } => {
                            call.audit(spent(owner), subject);
                            return Err(Error::TooManyMails { retry_after });
                        }
                        // The customer was erased or has another address since the guard was read: a code of theirs
                        // would take the place of their successor's.
                        Claimed::Changed(newer) if newer.cuid.as_ref() != Some(&subject.cuid) => break,
                        Claimed::Changed(newer) => state = *newer,
                    }
                }
            }
        }
        Err(Error::Failed { step: STEP, source: "others wrote to the passcode meanwhile".into() })
    }

    /// Mails the code of a claim, and notes what became of it.
    async fn mail(&self, call: &Call, recipient: &Recipient, claim: &Claim) -> Result<()> {
        let Recipient { customer, .. } = recipient;
        match self.send(call, recipient, claim).await {
            Ok(()) => {
                call.audit(Event::PasscodeSent, &customer.subject);
                // The mail is out: whoever asks again within the lease is held back by it, and later gets the same code.
                if let Err(error) = self.mailing(recipient).confirm_mail(claim, self.clock.now()).await {
                    call.warn("the mail could not be confirmed", &*error);
                }
                Ok(())
            }
            Err(error) => {
                let undeliverable = error.failure == Failure::Undeliverable;
                call.audit(if undeliverable { Event::MailUndeliverable } else { Event::MailFailed }, &customer.subject);
                if let Err(error) = self.mailing(recipient).release_mail(claim, error.failure).await {
                    call.warn("the claim could not be released", &*error);
                }
                if undeliverable {
                    return Err(Error::MailUndeliverable);
                }
                Err(Error::Failed { step: MAIL_STEP, source: error.into() })
            }
        }
    }

    fn code(&self, recipient: &Recipient, nonce: &[u8]) -> Passcode {
        self.pepper.code(nonce, &recipient.customer.subject)
    }

    async fn send(&self, call: &Call, recipient: &Recipient, claim: &Claim) -> Result<(), MailError> {
        let Recipient { app, customer, .. } = recipient;
        // Its customers' addresses are under names that no mail reaches: the reply tells the code.
        if app.is_test {
            return Ok(());
        }
        let whose = &customer.subject;
        let code = self.code(recipient, &claim.nonce);
        let brand = app.brand.clone().unwrap_or_else(|| Brand { name: app.name.clone(), ..Brand::default() });
        let asked_at = self.clock.now();
        let valid_for = claim.expires_at.since(asked_at);
        let mail =
            mail::render(&brand, customer.language.as_deref(), Sent { code: &code.grouped(), asked_at, valid_for })
                .map_err(|error| MailError::not_tried(&Causes(&*error)))?;
        let letter = Letter { whose, to: &customer.address, mail: &mail, reply_to: brand.reply_to.as_deref() };
        self.mailer.send(app, letter, |event| call.audit(event, whose)).await
    }
}

/// The event of a day's mails that are spent.
const fn spent(owner: Owner) -> Event {
    match owner {
        Owner::Mailbox => Event::MailboxBudgetSpent,
        Owner::App => Event::AppBudgetSpent,
    }
}

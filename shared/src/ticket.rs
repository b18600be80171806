//! SSO tickets: proof, for one redemption within seconds, that an App sent this customer to its platform.

use std::time::Duration;

use crate::{
    Store, Timestamp,
    id::{Cuid, Platformkey, Subject, Superkey},
    store::{Conditional, Conditions, Item, ItemExt, Key, StoreError, Table, Update, bytes, item, number, text, ttl},
    token::{Token, TokenHash},
};

/// A ticket as stored, under its hash.
#[derive(Debug)]
pub struct Ticket {
    /// The App that issued it, the customer it speaks of, and the customer's epoch when it was issued.
    pub subject: Subject,
    /// The platform that may redeem it.
    pub platform: Platformkey,
    /// The first moment at which it is no longer valid.
    pub expires_at: Timestamp,
    /// Whether it was redeemed.
    pub redeemed: bool,
}

impl Ticket {
    /// Where the ticket that a platform presents is.
    #[must_use]
    pub fn record_key(presented: &str) -> Key {
        let hash = TokenHash::of(presented);
        Key::new(Table::Tickets, "hash", hash.to_key())
    }

    /// Reads a ticket.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        Some(Self {
            subject: Subject {
                app: Superkey::parse(item.text("app")?)?,
                cuid: Cuid::parse(item.text("cuid")?)?,
                epoch: item.number("epoch")?,
            },
            platform: Platformkey::parse(item.text("platform")?)?,
            expires_at: item.timestamp("expires_at")?,
            redeemed: item.contains_key("redeemed_by"),
        })
    }

    /// A new ticket of this customer for this platform, with the item to be stored.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new(
        subject: &Subject,
        platform: &Platformkey,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<(Token, Item), getrandom::Error> {
        let ticket = Token::new_ticket()?;
        let expires_at = now + lifetime;
        let mut stored = Self::record_key(ticket.reveal()).attributes();
        stored.extend(item([
            ("app", text(subject.app.as_str())),
            ("platform", text(platform.as_str())),
            ("cuid", text(subject.cuid.as_str())),
            ("epoch", number(subject.epoch)),
            ("expires_at", number(expires_at.as_millis())),
            ("ttl", ttl(expires_at)),
        ]));
        Ok((ticket, stored))
    }

    /// Uses a ticket up. Of any number of parallel calls one is answered `true`.
    ///
    /// The ticket is marked rather than deleted: a call whose reply was lost, and which the SDK repeats, finds its own
    /// mark and not merely a ticket that is gone.
    ///
    /// # Errors
    /// What DynamoDB, the network or the source of randomness answered.
    pub async fn use_up(store: &Store, presented: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut mark = [0; 16];
        getrandom::fill(&mut mark)?;
        let unused = Conditions::default().missing("redeemed_by").later("expires_at", now);
        let update = Update::of(&Self::record_key(presented)).set("redeemed_by", bytes(mark)).only_if(unused);
        Ok(match store.update(update).await? {
            Conditional::Done(_) => true,
            Conditional::Refused(item) => item.is_some_and(|item| item.bytes("redeemed_by") == Some(&mark[..])),
        })
    }
}

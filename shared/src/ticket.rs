//! SSO tickets: proof, for one redemption within seconds, that an App sent this customer to its platform.

use crate::{
    Store, Timestamp, app, customer,
    email::EmailAddress,
    id::{Cuid, ID_LENGTH, Platformkey, Subject, Superkey},
    random,
    store::{Conditional, Conditions, Item, ItemExt, Key, StoreError, Table, Update, bytes, item, number, text, ttl},
    token::{TICKET_PREFIX, Token, TokenHash},
};

/// A ticket as stored, under its hash.
#[derive(Debug)]
pub struct Ticket {
    /// The App that issued it, the customer it speaks of, and the customer's epoch when it was issued.
    pub subject: Subject,
    /// [`EmailAddress::lookup_hash`] of the address that the customer had then.
    pub address: String,
    /// The platform that may redeem it.
    pub platform: Platformkey,
    /// Where on the platform the customer is to land.
    pub return_to: Option<String>,
    /// What the platform gave the browser, for it to compare.
    pub state: Option<String>,
    /// The first moment at which it is no longer valid.
    pub expires_at: Timestamp,
    /// Whether it was redeemed.
    pub redeemed: bool,
}

impl Ticket {
    /// Reads a ticket.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        Some(Self {
            subject: Subject {
                app: Superkey::parse(item.text("app")?)?,
                cuid: Cuid::parse(item.text("cuid")?)?,
                epoch: item.number("epoch")?,
            },
            address: item.text("address")?.to_owned(),
            platform: Platformkey::parse(item.text("platform")?)?,
            return_to: item.text("return_to").map(str::to_owned),
            state: item.text("state").map(str::to_owned),
            expires_at: item.timestamp("expires_at")?,
            redeemed: item.contains_key("redeemed_by"),
        })
    }

    /// The secret that stands for this ticket, with the item to be stored.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn issue(&self) -> Result<(Token, Item), getrandom::Error> {
        let Subject { app, cuid, epoch } = &self.subject;
        let ticket = Token::new_ticket(&format!("{}{}", app.bare(), cuid.bare()))?;
        let mut stored = key(&ticket.hash()).attributes();
        stored.extend(item([
            ("app", text(app.as_str())),
            ("platform", text(self.platform.as_str())),
            ("cuid", text(cuid.as_str())),
            ("epoch", number(*epoch)),
            ("address", text(&self.address)),
            ("expires_at", number(self.expires_at.as_millis())),
            ("ttl", ttl(self.expires_at)),
        ]));
        for (name, value) in [("return_to", &self.return_to), ("state", &self.state)] {
            if let Some(value) = value {
                stored.insert(name.to_owned(), text(value));
            }
        }
        Ok((ticket, stored))
    }

    /// Whether the customer is whom it was issued for: the same one, with the same address, and nothing revoked since.
    #[must_use]
    pub fn speaks_of(&self, customer: &customer::Customer) -> bool {
        let address = EmailAddress::on_record(&customer.email);
        self.subject == customer.subject && address.is_some_and(|address| address.lookup_hash() == self.address)
    }
}

/// Where a ticket is.
fn key(hash: &TokenHash) -> Key {
    Key::new(Table::Tickets, "hash", hash.to_key())
}

/// A ticket as a platform presents it. It holds where its App and customer are, so that one call reads all there is to
/// know of it, and it is marked as used only after that.
#[derive(Debug)]
pub struct PresentedTicket {
    hash: TokenHash,
    app: Superkey,
    cuid: Cuid,
}

impl PresentedTicket {
    /// Reads a ticket; `None` where `text` has not the form of one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let pointers = text.strip_prefix(TICKET_PREFIX)?.get(..2 * ID_LENGTH)?;
        let (app, cuid) = pointers.split_at_checked(ID_LENGTH)?;
        Some(Self { hash: TokenHash::of(text), app: Superkey::from_bare(app)?, cuid: Cuid::from_bare(cuid)? })
    }

    /// Where to read the ticket, its customer and its App.
    #[must_use]
    pub fn record_keys(&self) -> [Key; 3] {
        [key(&self.hash), customer::record_key(&self.cuid), app::any_key(&self.app)]
    }

    /// Uses the ticket up. Of any number of parallel calls one is answered `true`.
    ///
    /// The ticket is marked rather than deleted: a call whose reply was lost, and which the SDK repeats, finds its own
    /// mark and not merely a ticket that is gone.
    ///
    /// # Errors
    /// What DynamoDB, the network or the source of randomness answered.
    pub async fn use_up(&self, store: &Store, now: Timestamp) -> Result<bool, StoreError> {
        let mark: [u8; 16] = random::bytes()?;
        let unused = Conditions::default().missing("redeemed_by").later("expires_at", now);
        let update = Update::of(&key(&self.hash)).set("redeemed_by", bytes(mark)).only_if(unused);
        Ok(match store.update(update).await? {
            Conditional::Done(_) => true,
            Conditional::Refused(item) => item.is_some_and(|item| item.bytes("redeemed_by") == Some(&mark[..])),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_tells_where_its_records_are() {
        let subject = Subject { app: Superkey::new().unwrap(), cuid: Cuid::new().unwrap(), epoch: 0 };
        let ticket = Ticket {
            subject: subject.clone(),
            address: String::new(),
            platform: Platformkey::new().unwrap(),
            return_to: None,
            state: None,
            expires_at: Timestamp::from_millis(1),
            redeemed: false,
        };
        let (token, item) = ticket.issue().unwrap();
        let presented = PresentedTicket::parse(token.reveal()).unwrap();
        let [key, customer, app] = presented.record_keys();
        assert_eq!(item.text("hash"), key.attributes().text("hash"));
        assert_eq!(customer, customer::record_key(&subject.cuid));
        assert!(app.attributes().text("key").unwrap().starts_with(subject.app.as_str()));
    }

    #[test]
    fn what_has_not_the_form_of_a_ticket_is_none() {
        for text in ["", "atomtk_", "x", "atomtk_é", &format!("atomtk_{}", "-".repeat(93)), &"x".repeat(10_000)] {
            assert!(PresentedTicket::parse(text).is_none(), "{text}");
        }
    }
}

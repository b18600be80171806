//! Apps: a partner's integration, what it may do, and the brand that its mails wear.

use crate::{
    Timestamp,
    store::{Attribute, Item, ItemExt, bytes, number, text},
    token::TokenHash,
};

/// What an App may be provisioned for beyond the endpoints that every App has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// `GET /customer/{email}/passcode`.
    Passcode,
    /// `GET /customer/{email}/auth/nopasscode`.
    Nopasscode,
}

impl Grant {
    /// The grant's name in the operator's commands and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passcode => "passcode",
            Self::Nopasscode => "nopasscode",
        }
    }

    /// The grant of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Passcode, Self::Nopasscode].into_iter().find(|grant| grant.name() == name)
    }
}

/// What a customer sees of an App in a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brand {
    /// The name in subject and text.
    pub name: String,
    /// The sender's display name; the brand's name without it.
    pub from_name: Option<String>,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// `#rrggbb`.
    pub colour: Option<String>,
    /// An https URL of an image.
    pub logo_url: Option<String>,
    /// An address for questions.
    pub support_email: Option<String>,
}

impl Brand {
    /// The optional fields by name: one list for reading, writing and showing.
    #[must_use]
    pub fn optional_fields(&self) -> [(&'static str, &Option<String>); 5] {
        [
            ("from_name", &self.from_name),
            ("reply_to", &self.reply_to),
            ("colour", &self.colour),
            ("logo_url", &self.logo_url),
            ("support_email", &self.support_email),
        ]
    }

    fn from_item(item: &Item) -> Option<Self> {
        let field = |name| item.text(name).map(str::to_owned);
        Some(Self {
            name: field("name")?,
            from_name: field("from_name"),
            reply_to: field("reply_to"),
            colour: field("colour"),
            logo_url: field("logo_url"),
            support_email: field("support_email"),
        })
    }

    /// The brand as a map of attributes.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let given = self.optional_fields().into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        given.chain([("name", &self.name)]).map(|(name, value)| (name.to_owned(), text(value))).collect()
    }
}

/// The tokens that a key accepts: its own, and while it is being rotated the one before.
#[derive(Debug)]
pub struct Tokens {
    current: TokenHash,
    previous: Option<(TokenHash, Timestamp)>,
}

impl Tokens {
    /// One token and no other.
    #[must_use]
    pub const fn new(current: TokenHash) -> Self {
        Self { current, previous: None }
    }

    /// A new token; the one before it goes on until `overlap_ends`, any older one ends now.
    #[must_use]
    pub fn rotated(self, current: TokenHash, overlap_ends: Timestamp) -> Self {
        Self { current, previous: Some((self.current, overlap_ends)) }
    }

    /// Whether this token is accepted now. Both comparisons take constant time.
    #[must_use]
    pub fn accept(&self, token: &str, now: Timestamp) -> bool {
        let previous = self.previous.as_ref().is_some_and(|(hash, until)| now < *until && hash.matches(token));
        self.current.matches(token) || previous
    }

    /// Reads them from a record.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        let previous = item.bytes("previous_token_hash").and_then(TokenHash::from_bytes);
        Some(Self {
            current: TokenHash::from_bytes(item.bytes("token_hash")?)?,
            previous: previous.zip(item.timestamp("previous_expires_at")),
        })
    }

    /// The attributes that hold them.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let mut item = Item::from([("token_hash".to_owned(), bytes(*self.current.as_bytes()))]);
        if let Some((hash, until)) = &self.previous {
            item.insert("previous_token_hash".to_owned(), bytes(*hash.as_bytes()));
            item.insert("previous_expires_at".to_owned(), number(until.as_millis()));
        }
        item
    }
}

/// An App as stored.
#[derive(Debug)]
pub struct AppRecord {
    /// Names the App.
    pub superkey: String,
    /// For people.
    pub name: String,
    /// What it is provisioned for.
    pub grants: Vec<Grant>,
    /// The `platformkey` of the platform that SSO leads to.
    pub platform: Option<String>,
    /// The brand of its mails; the App's name without one.
    pub brand: Option<Brand>,
    /// Whether its own calls are refused.
    pub suspended: bool,
    /// What its tokens are known by.
    pub tokens: Tokens,
    /// The key under which its list's cursors are sealed.
    pub cursor_key: Vec<u8>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl AppRecord {
    /// Reads a record; `None` where the item is no App's.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        (item.text("kind")? == "app").then_some(())?;
        Some(Self {
            superkey: item.text("key")?.to_owned(),
            name: item.text("name")?.to_owned(),
            grants: item.texts("grants").iter().filter_map(|name| Grant::parse(name)).collect(),
            platform: item.text("platform").map(str::to_owned),
            brand: item.map("brand").and_then(Brand::from_item),
            suspended: item.text("status")? != "active",
            tokens: Tokens::from_item(item)?,
            cursor_key: item.bytes("cursor_key")?.to_owned(),
            created_at: item.timestamp("created_at")?,
        })
    }

    /// The record as an item.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let mut item = self.tokens.to_item();
        let mut insert = |name: &str, value| item.insert(name.to_owned(), value);
        insert("kind", text("app"));
        insert("key", text(&self.superkey));
        insert("name", text(&self.name));
        insert("status", status(self.suspended));
        insert("cursor_key", bytes(self.cursor_key.clone()));
        insert("created_at", number(self.created_at.as_millis()));
        // DynamoDB has no empty sets.
        if !self.grants.is_empty() {
            insert("grants", Attribute::Ss(self.grants.iter().map(|grant| grant.name().to_owned()).collect()));
        }
        if let Some(platform) = &self.platform {
            insert("platform", text(platform));
        }
        if let Some(brand) = &self.brand {
            insert("brand", Attribute::M(brand.to_item()));
        }
        item
    }
}

/// The `status` attribute of an App, a customer or a guard.
#[must_use]
pub fn status(suspended: bool) -> Attribute {
    text(if suspended { "suspended" } else { "active" })
}

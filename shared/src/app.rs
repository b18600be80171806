//! Apps: a partner's integration, what it may do, and the brand that its mails wear.

mod sending;

pub use sending::{Sender, Tenant};

use crate::{
    Timestamp, copies,
    email::EmailAddress,
    id::{Platformkey, Superkey},
    passcode::limits::MAILS_PER_APP,
    status::{STATUS, Status},
    store::{Attribute, Item, ItemExt, Key, bytes, number, text},
    tokens::Tokens,
};

/// What an address is told that is not for a test App's customers.
pub const NOT_RESERVED: &str = "Must be under example.com, example.net, example.org, .example, .test or .invalid: the App \
                                is for tests.";

/// The attribute of an App's tenant.
pub const TENANT: &str = "tenant";
/// The attribute of an App's own sender.
pub const SENDER: &str = "sender";
/// The attribute that says that an App's mails are stopped.
pub const MAIL_SUSPENDED: &str = "mail_suspended";

/// Where the record of an App is, for the operator.
#[must_use]
pub fn record_key(superkey: &Superkey) -> Key {
    copies::record_key(superkey.as_str())
}

/// Where a request reads the record of an App: it, or any of its copies.
#[must_use]
pub fn any_key(superkey: &Superkey) -> Key {
    copies::any_key(superkey.as_str())
}

/// Declares the grants, each with its name in the operator's commands and in the store.
macro_rules! grants {
    ($($(#[$doc:meta])* $grant:ident $name:literal)+) => {
        /// What an App may be provisioned for beyond the endpoints that every App has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Grant { $($(#[$doc])* $grant),+ }

        impl Grant {
            /// Every grant.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$grant),+];

            /// The grant's name in the operator's commands and in the store.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$grant => $name),+ }
            }
        }
    };
}

grants! {
    /// `GET /customer/{email}/passcode`.
    Passcode "passcode"
    /// `GET /customer/{email}/auth/nopasscode`.
    Nopasscode "nopasscode"
}

impl Grant {
    /// The attribute that holds these; DynamoDB has no empty sets.
    #[must_use]
    pub fn set(grants: &[Self]) -> Option<Attribute> {
        (!grants.is_empty()).then(|| Attribute::Ss(grants.iter().map(|grant| grant.name().to_owned()).collect()))
    }

    /// The grant of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.name() == name)
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
    /// The language of its mails, as a tag of BCP 47, for customers who have none of their own.
    pub language: Option<String>,
    /// The host name of the site that asks for passcodes, in ASCII form: telephones offer the code there.
    pub site: Option<String>,
}

impl Brand {
    /// The optional fields by name: one list for reading, writing and showing.
    #[must_use]
    pub fn optional_fields(&self) -> [(&'static str, &Option<String>); 7] {
        [
            ("from_name", &self.from_name),
            ("reply_to", &self.reply_to),
            ("colour", &self.colour),
            ("logo_url", &self.logo_url),
            ("support_email", &self.support_email),
            ("language", &self.language),
            ("site", &self.site),
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
            language: field("language"),
            site: field("site"),
        })
    }

    /// The brand as a map of attributes.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let given = self.optional_fields().into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        given.chain([("name", &self.name)]).map(|(name, value)| (name.to_owned(), text(value))).collect()
    }
}

/// An App as stored.
#[derive(Debug)]
pub struct AppRecord {
    /// Names the App.
    pub superkey: Superkey,
    /// For people.
    pub name: String,
    /// What it is provisioned for.
    pub grants: Vec<Grant>,
    /// The `platformkey` of the platform that SSO leads to.
    pub platform: Option<Platformkey>,
    /// The brand of its mails; the App's name without one.
    pub brand: Option<Brand>,
    /// Whether it is a test App: it mails nothing, and its replies tell the passcodes. It never changes.
    pub is_test: bool,
    /// How many mails it may send a day, where the operator has said so.
    pub mails_per_day: Option<u64>,
    /// Its SES tenant, once it has one.
    pub tenant: Option<Tenant>,
    /// The partner's own sender.
    pub sender: Option<Sender>,
    /// Whether the operator has stopped its mails.
    pub is_mail_suspended: bool,
    /// Whether its own calls are answered.
    pub status: Status,
    /// What its tokens are known by.
    pub tokens: Tokens,
    /// The key under which its list's cursors are sealed.
    pub cursor_key: Vec<u8>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl AppRecord {
    /// Reads a record or a copy of one; `None` where the item is no App's.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        Some(Self {
            superkey: Superkey::parse(copies::owner(item, "app")?)?,
            name: item.text("name")?.to_owned(),
            grants: item.texts("grants").iter().filter_map(|name| Grant::parse(name)).collect(),
            platform: item.text("platform").and_then(Platformkey::parse),
            brand: item.map("brand").and_then(Brand::from_item),
            is_test: item.contains_key("test"),
            mails_per_day: item.number("mails_per_day"),
            tenant: item.map(TENANT).and_then(Tenant::from_item),
            sender: item.map(SENDER).and_then(Sender::from_item),
            is_mail_suspended: item.contains_key(MAIL_SUSPENDED),
            status: Status::of(item),
            tokens: Tokens::from_item(item)?,
            cursor_key: item.bytes("cursor_key")?.to_owned(),
            created_at: item.timestamp("created_at")?,
        })
    }

    /// What is wrong with an address for a customer of this App; nothing for most.
    ///
    /// # Errors
    /// For a test App, an address that mail could reach.
    pub fn check_address(&self, address: &EmailAddress) -> Result<(), &'static str> {
        if self.is_test && !address.is_reserved() { Err(NOT_RESERVED) } else { Ok(()) }
    }

    /// How many mails it may send a day (UTC).
    #[must_use]
    pub fn mails_per_day(&self) -> u64 {
        self.mails_per_day.unwrap_or(MAILS_PER_APP)
    }

    /// The record as an item.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let mut item = self.tokens.to_item();
        let mut insert = |name: &str, value| item.insert(name.to_owned(), value);
        insert("kind", text("app"));
        insert("key", text(self.superkey.as_str()));
        insert("name", text(&self.name));
        insert(STATUS, self.status.attribute());
        insert("cursor_key", bytes(self.cursor_key.clone()));
        insert("created_at", number(self.created_at.as_millis()));
        if let Some(grants) = Grant::set(&self.grants) {
            insert("grants", grants);
        }
        if let Some(platform) = &self.platform {
            insert("platform", text(platform.as_str()));
        }
        if let Some(brand) = &self.brand {
            insert("brand", Attribute::M(brand.to_item()));
        }
        if self.is_test {
            insert("test", Attribute::Bool(true));
        }
        if let Some(mails) = self.mails_per_day {
            insert("mails_per_day", number(mails));
        }
        if let Some(tenant) = &self.tenant {
            insert(TENANT, tenant.attribute());
        }
        if let Some(sender) = &self.sender {
            insert(SENDER, sender.attribute());
        }
        if self.is_mail_suspended {
            insert(MAIL_SUSPENDED, Attribute::Bool(true));
        }
        item
    }
}

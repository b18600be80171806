//! Platforms: where single sign-on leads, and who redeems its tickets.

use url::Url;

use crate::{
    Timestamp, copies,
    id::Platformkey,
    status::{STATUS, Status},
    store::{Item, ItemExt, Key, number, text},
    tokens::Tokens,
};

/// Where the record of a platform is, for the operator: in one table with the Apps', so that whoever calls is read by one
/// key.
#[must_use]
pub fn record_key(platformkey: &Platformkey) -> Key {
    copies::record_key(platformkey.as_str())
}

/// Where a request reads the record of a platform: it, or any of its copies.
#[must_use]
pub fn any_key(platformkey: &Platformkey) -> Key {
    copies::any_key(platformkey.as_str())
}

/// A platform as stored.
#[derive(Debug)]
pub struct PlatformRecord {
    /// Names the platform.
    pub platformkey: Platformkey,
    /// For people.
    pub name: String,
    /// Where SSO sends the browser.
    pub url: Url,
    /// Whether tickets are issued for it and redeemed by it.
    pub status: Status,
    /// What its tokens are known by.
    pub tokens: Tokens,
    /// When it was created.
    pub created_at: Timestamp,
}

impl PlatformRecord {
    /// Reads a record or a copy of one; `None` where the item is no platform's.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        Some(Self {
            platformkey: Platformkey::parse(copies::owner(item, "platform")?)?,
            name: item.text("name")?.to_owned(),
            url: Url::parse(item.text("url")?).ok()?,
            // Version 0.1 kept no status of a platform.
            status: if item.contains_key(STATUS) { Status::of(item) } else { Status::Active },
            tokens: Tokens::from_item(item)?,
            created_at: item.timestamp("created_at")?,
        })
    }

    /// The record as an item.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let mut item = self.tokens.to_item();
        item.insert("kind".to_owned(), text("platform"));
        item.insert("key".to_owned(), text(self.platformkey.as_str()));
        item.insert("name".to_owned(), text(&self.name));
        item.insert(STATUS.to_owned(), self.status.attribute());
        item.insert("url".to_owned(), text(self.url.as_str()));
        item.insert("created_at".to_owned(), number(self.created_at.as_millis()));
        item
    }
}

//! Platforms: where single sign-on leads, and who redeems its tickets.

use url::Url;

use crate::{
    Timestamp,
    app::Tokens,
    store::{Item, ItemExt, number, text},
};

/// A platform as stored.
#[derive(Debug)]
pub struct PlatformRecord {
    /// Names the platform.
    pub platformkey: String,
    /// For people.
    pub name: String,
    /// Where SSO sends the browser.
    pub url: Url,
    /// What its tokens are known by.
    pub tokens: Tokens,
    /// When it was created.
    pub created_at: Timestamp,
}

impl PlatformRecord {
    /// Reads a record; `None` where the item is no platform's.
    #[must_use]
    pub fn from_item(item: &Item) -> Option<Self> {
        (item.text("kind")? == "platform").then_some(())?;
        Some(Self {
            platformkey: item.text("key")?.to_owned(),
            name: item.text("name")?.to_owned(),
            url: Url::parse(item.text("url")?).ok()?,
            tokens: Tokens::from_item(item)?,
            created_at: item.timestamp("created_at")?,
        })
    }

    /// The record as an item.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let mut item = self.tokens.to_item();
        item.insert("kind".to_owned(), text("platform"));
        item.insert("key".to_owned(), text(&self.platformkey));
        item.insert("name".to_owned(), text(&self.name));
        item.insert("url".to_owned(), text(self.url.as_str()));
        item.insert("created_at".to_owned(), number(self.created_at.as_millis()));
        item
    }
}

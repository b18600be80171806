//! How an App's mails go out: through its SES tenant, and from its own address.

use crate::{
    id::Superkey,
    store::{Attribute, Item, ItemExt, item, text},
};

/// The SES tenant of an App. A record names it once it is made and holds what a mail is sent with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// The ARN of the deployment's identity that it holds.
    pub identity: String,
    /// The ARN of the configuration set that it holds.
    pub configuration_set: String,
}

impl Tenant {
    /// The name of an App's tenant in this stack. No stack's name has an underscore, so that none begins with another.
    #[must_use]
    pub fn name_of(stack: &str, superkey: &Superkey) -> String {
        format!("{stack}_{}", superkey.as_str())
    }

    pub(super) fn from_item(item: &Item) -> Option<Self> {
        let field = |name| item.text(name).map(str::to_owned);
        Some(Self {
            name: field("name")?,
            identity: field("identity")?,
            configuration_set: field("configuration_set")?,
        })
    }

    /// The attribute that holds it.
    #[must_use]
    pub fn attribute(&self) -> Attribute {
        Attribute::M(item([
            ("name", text(&self.name)),
            ("identity", text(&self.identity)),
            ("configuration_set", text(&self.configuration_set)),
        ]))
    }
}

/// The address of the partner's own that an App's mails are to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The address, its domain in ASCII form.
    pub address: String,
    /// Whether SES had verified its domain when it was asked last. Mails come from it only then.
    pub is_verified: bool,
}

impl Sender {
    pub(super) fn from_item(item: &Item) -> Option<Self> {
        Some(Self { address: item.text("address")?.to_owned(), is_verified: item.contains_key("verified") })
    }

    /// The attribute that holds it.
    #[must_use]
    pub fn attribute(&self) -> Attribute {
        let mut attributes = item([("address", text(&self.address))]);
        if self.is_verified {
            attributes.insert("verified".to_owned(), Attribute::Bool(true));
        }
        Attribute::M(attributes)
    }

    /// The domain that SES has to verify.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

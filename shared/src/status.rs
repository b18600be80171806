//! Whether an App, a platform or a customer may act.

use crate::store::{Attribute, Item, ItemExt, text};

/// The attribute that holds it.
pub const STATUS: &str = "status";

/// The `status` of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It may act.
    Active,
    /// Its calls are refused.
    Suspended,
}

impl Status {
    /// What it is called in records and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// Whether calls are refused.
    #[must_use]
    pub const fn is_suspended(self) -> bool {
        matches!(self, Self::Suspended)
    }

    /// Reads it from a record. Whatever is not known to be active is suspended.
    #[must_use]
    pub fn of(item: &Item) -> Self {
        if item.text(STATUS) == Some(Self::Active.name()) { Self::Active } else { Self::Suspended }
    }

    /// The attribute's value.
    #[must_use]
    pub fn attribute(self) -> Attribute {
        text(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_be_active_is_suspended() {
        let status = |text_of: &str| Status::of(&Item::from([(STATUS.to_owned(), text(text_of))]));
        assert_eq!(status("active"), Status::Active);
        assert_eq!(status("suspended"), Status::Suspended);
        assert_eq!(status("paused"), Status::Suspended);
        assert_eq!(Status::of(&Item::new()), Status::Suspended);
    }
}

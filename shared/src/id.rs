//! The names of things: a `cuid` for a customer, and a key for whoever calls.
//!
//! Each is a type of its own, so that none can stand in another's place. `parse` takes what has the form of one;
//! whether it exists, only the database knows. Forms and prefixes never change.

use std::fmt;

use crate::token::base62;

/// Characters of a `cuid` and of the random part of a key: 22 in base62 are 131 bits.
pub(crate) const ID_LENGTH: usize = 22;

/// Declares a name: a prefix, and behind it so many characters of base62.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $length:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            const PREFIX: &str = $prefix;

            /// Reads a name; `None` where `text` has not the form of one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let rest = text.strip_prefix(Self::PREFIX)?;
                let fits = rest.len() == $length && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
                fits.then(|| Self(text.to_owned()))
            }

            /// The name as callers know it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

id!(
    /// Names a customer: 22 characters of base62, without an order in time.
    Cuid, "", ID_LENGTH
);
id!(
    /// Names an App.
    Superkey, "atomsk_", ID_LENGTH
);
id!(
    /// Names a platform.
    Platformkey, "atompk_", ID_LENGTH
);
id!(
    /// Names a customer's pair. It holds the `cuid`, so that the customer's record is read beside the pair's.
    CustomerKey, "atomck_", 2 * ID_LENGTH
);

/// The names that nothing but chance makes.
macro_rules! random {
    ($($name:ident),*) => {$(
        impl $name {
            /// A new name.
            ///
            /// # Errors
            /// When the operating system gives no randomness.
            pub fn new() -> Result<Self, getrandom::Error> {
                Ok(Self(format!("{}{}", Self::PREFIX, base62(ID_LENGTH)?)))
            }
        }
    )*};
}

random!(Cuid, Superkey, Platformkey);

/// The names that a ticket holds, without their prefixes.
macro_rules! bare {
    ($($name:ident),*) => {$(
        impl $name {
            /// All but the prefix.
            pub(crate) fn bare(&self) -> &str {
                self.0.strip_prefix(Self::PREFIX).unwrap_or_default()
            }

            /// The name of which this is all but the prefix.
            pub(crate) fn from_bare(bare: &str) -> Option<Self> {
                Self::parse(&format!("{}{bare}", Self::PREFIX))
            }
        }
    )*};
}

bare!(Cuid, Superkey);

impl CustomerKey {
    /// The name of a new pair of this customer.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new(cuid: &Cuid) -> Result<Self, getrandom::Error> {
        Ok(Self(format!("{}{cuid}{}", Self::PREFIX, base62(ID_LENGTH)?)))
    }

    /// The customer whose pair it says it is.
    #[must_use]
    pub fn cuid(&self) -> Cuid {
        Cuid(self.0.chars().skip(Self::PREFIX.len()).take(ID_LENGTH).collect())
    }
}

/// Whose something is: one customer of one App, as of its last revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The App.
    pub app: Superkey,
    /// The customer.
    pub cuid: Cuid,
    /// When all pairs were revoked last, in milliseconds since 1970; 0 if never. What was issued under another epoch
    /// is revoked.
    pub epoch: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_has_the_form_of_one() {
        let cuid = Cuid::new().unwrap();
        assert_eq!(Cuid::parse(cuid.as_str()), Some(cuid.clone()));
        let superkey = Superkey::new().unwrap();
        assert_eq!(Superkey::parse(superkey.as_str()), Some(superkey));
        let platformkey = Platformkey::new().unwrap();
        assert_eq!(Platformkey::parse(platformkey.as_str()), Some(platformkey));
        let key = CustomerKey::new(&cuid).unwrap();
        assert_eq!(CustomerKey::parse(key.as_str()), Some(key));
    }

    #[test]
    fn no_name_is_taken_for_another() {
        let superkey = Superkey::new().unwrap();
        assert!(Platformkey::parse(superkey.as_str()).is_none() && Cuid::parse(superkey.as_str()).is_none());
        for text in ["", "short", "atomsk_short", "atomsk_0123456789012345678901x", "atomsk_012345678901234567890é"] {
            assert!(Superkey::parse(text).is_none() && Cuid::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_customers_key_holds_the_cuid() {
        let cuid = Cuid::new().unwrap();
        assert_eq!(CustomerKey::new(&cuid).unwrap().cuid(), cuid);
    }
}

//! Everything that can be wrong with a call. [`crate::http`] gives each its status, code and message.

use std::{error::Error as StdError, fmt, time::Duration};

use crate::id::Cuid;

/// Why a call was not answered with what it asked for.
#[derive(Debug)]
pub enum Error {
    /// No key was sent.
    MissingKey,
    /// No token was sent.
    MissingToken,
    /// The key is of no record that this caller may know of.
    NoMatchingKey,
    /// The token is wrong, expired or revoked.
    InvalidToken,
    /// The App or customer is suspended, or the App not provisioned for this endpoint.
    NotAllowed,
    /// Credentials came in the query string where the deployment does not take them.
    QueryCredentials,
    /// A credential came more than once.
    RepeatedCredential,
    /// One or more fields are bad; all of them are listed.
    Invalid(Vec<Violation>),
    /// The body is larger than 16 KiB.
    BodyTooLarge,
    /// No customer of this App has that identifier.
    UserNotFound,
    /// The App has a customer with that address already.
    CustomerExists {
        /// The customer that has it.
        cuid: Cuid,
    },
    /// An `Idempotency-Key` came again with other fields.
    IdempotencyKeyReused,
    /// An address came without a passcode.
    MissingPasscode,
    /// The passcode is wrong, expired, used or exhausted.
    InvalidPasscode,
    /// The ticket is wrong, expired, used or of another platform.
    InvalidTicket,
    /// The customer was mailed too often, or is paused after too many wrong guesses.
    TooManyMails {
        /// How long until the next mail can be had.
        retry_after: Duration,
    },
    /// No mail can go to the customer's address.
    MailUndeliverable,
    /// No such route.
    RouteNotFound,
    /// A dependency failed us.
    Failed {
        /// What failed, as the caller is told: a whole sentence that names the step and nothing else.
        step: &'static str,
        /// What the dependency said; for the log alone.
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// One bad field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field's name as the caller sent it.
    pub field: String,
    /// What is wrong with it, for a person.
    pub message: &'static str,
}

/// The result of a step of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A single bad field.
    #[must_use]
    pub fn invalid(field: &str, message: &'static str) -> Self {
        Self::Invalid(vec![Violation { field: field.to_owned(), message }])
    }

    /// Several bad fields, in the order of their names.
    #[must_use]
    pub fn invalid_fields(mut violations: Vec<Violation>) -> Self {
        violations.sort_by(|one, other| one.field.cmp(&other.field));
        Self::Invalid(violations)
    }
}

/// The two values, or the bad fields of both.
///
/// # Errors
/// [`Error::Invalid`] with the bad fields of both; the first other error.
pub fn both<A, B>(one: Result<A>, other: Result<B>) -> Result<(A, B)> {
    match (one, other) {
        (Err(Error::Invalid(mut bad)), Err(Error::Invalid(also_bad))) => {
            bad.extend(also_bad);
            Err(Error::invalid_fields(bad))
        }
        (one, other) => Ok((one?, other?)),
    }
}

/// Says during which step a dependency failed.
pub trait During<T> {
    /// Turns the dependency's error into [`Error::Failed`] of this step.
    ///
    /// # Errors
    /// [`Error::Failed`] where the dependency failed.
    fn during(self, step: &'static str) -> Result<T>;
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>>> During<T> for std::result::Result<T, E> {
    fn during(self, step: &'static str) -> Result<T> {
        self.map_err(|source| Error::Failed { step, source: source.into() })
    }
}

/// An error with all of its causes, on one line.
pub struct Causes<'a>(pub &'a (dyn StdError + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut error = self.0;
        while let Some(cause) = error.source() {
            write!(f, ": {cause}")?;
            error = cause;
        }
        Ok(())
    }
}
